package sftp

import "github.com/wirelark/wirelark/wire"

// ID returns the request id of a message. INIT, VERSION and messages of other
// protocols have none.
func ID(m wire.Message) (id uint32, ok bool) {
	if p := idField(m); p != nil {
		return *p, true
	}
	return 0, false
}

// SetID gives a message the request id and reports whether it has room for
// one.
func SetID(m wire.Message, id uint32) bool {
	p := idField(m)
	if p != nil {
		*p = id
	}
	return p != nil
}

func idField(m wire.Message) *uint32 {
	if p := requestID(m); p != nil {
		return p
	}
	switch m := m.(type) {
	case *Status:
		return &m.ID
	case *Handle:
		return &m.ID
	case *Data:
		return &m.ID
	case *Name:
		return &m.ID
	case *AttrsReply:
		return &m.ID
	case *ExtendedReply:
		return &m.ID
	case *StatVFSReply:
		return &m.ID
	case *LimitsReply:
		return &m.ID
	case *UsersGroupsReply:
		return &m.ID
	case *Opaque:
		return &m.ID
	}
	return nil
}

func requestID(m wire.Message) *uint32 {
	switch m := m.(type) {
	case *Open:
		return &m.ID
	case *Close:
		return &m.ID
	case *Read:
		return &m.ID
	case *Write:
		return &m.ID
	case *LStat:
		return &m.ID
	case *FStat:
		return &m.ID
	case *SetStat:
		return &m.ID
	case *FSetStat:
		return &m.ID
	case *OpenDir:
		return &m.ID
	case *ReadDir:
		return &m.ID
	case *Remove:
		return &m.ID
	case *Mkdir:
		return &m.ID
	case *Rmdir:
		return &m.ID
	case *RealPath:
		return &m.ID
	case *Stat:
		return &m.ID
	case *Rename:
		return &m.ID
	case *ReadLink:
		return &m.ID
	case *Symlink:
		return &m.ID
	case *Extended:
		return &m.ID
	}
	return nil
}
