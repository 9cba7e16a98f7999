package sftpserver

import (
	"fmt"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

// need says which access a request needs.
type need uint8

const (
	needNothing need = iota // or the request decides by itself
	needWrite               // it changes something
	needRead                // it discloses what files and directories hold
)

// A handler carries out a request that is not READ or WRITE.
type handler struct {
	need need
	path bool // it is about paths and waits for everything earlier
	run  func(*session, *task) (wire.Message, error)
}

// handlers by the number of the message.
var handlers = [256]*handler{
	sftp.NumOpen:     {needNothing, true, on((*session).open)},
	sftp.NumClose:    {needNothing, false, on((*session).close)},
	sftp.NumLStat:    {needNothing, true, on((*session).lstat)},
	sftp.NumFStat:    {needNothing, false, on((*session).fstat)},
	sftp.NumSetStat:  {needWrite, true, on((*session).setStat)},
	sftp.NumFSetStat: {needWrite, false, on((*session).fsetStat)},
	sftp.NumOpenDir:  {needRead, true, on((*session).openDir)},
	sftp.NumReadDir:  {needRead, true, on((*session).readDir)},
	sftp.NumRemove:   {needWrite, true, on((*session).remove)},
	sftp.NumMkdir:    {needWrite, true, on((*session).mkdir)},
	sftp.NumRmdir:    {needWrite, true, on((*session).rmdir)},
	sftp.NumRealPath: {needNothing, true, on((*session).realPath)},
	sftp.NumStat:     {needNothing, true, on((*session).stat)},
	sftp.NumRename:   {needWrite, true, on((*session).rename)},
	sftp.NumReadLink: {needRead, true, on((*session).readLink)},
	sftp.NumSymlink:  {needWrite, true, on((*session).symlink)},
	sftp.NumExtended: {needNothing, false, on((*session).extended)},
}

// on makes a handler's function from one that takes the decoded message.
func on[M any, P interface {
	*M
	wire.Message
}](f func(*session, *task, P) (wire.Message, error)) func(*session, *task) (wire.Message, error) {
	return func(s *session, t *task) (wire.Message, error) {
		m := P(new(M))
		if err := s.parse(t, m); err != nil {
			return nil, err
		}
		return f(s, t, m)
	}
}

func (s *session) parse(t *task, m wire.Message) error {
	if err := sftp.Parse(t.in.b, m, s.dialect); err != nil {
		return &sftp.StatusError{Code: sftp.StatusBadMessage, Msg: err.Error()}
	}
	return nil
}

// request carries out t, which is neither READ nor WRITE.
func (s *session) request(t *task) (m wire.Message, err error) {
	h := handlers[t.number]
	if h == nil {
		t.op.Name = fmt.Sprintf("message %d", t.number)
		return nil, &sftp.StatusError{Code: sftp.StatusOpUnsupported, Msg: fmt.Sprintf("unknown message %d", t.number)}
	}
	t.op.Name = sftp.Messages.Find("", t.number).Name
	if err := s.allow(h.need); err != nil {
		return nil, err
	}
	if h.path {
		s.schedule.quiet()
	}
	err = s.guard(t.op.Name, func() (err error) {
		m, err = h.run(s, t)
		return err
	})
	if err != nil {
		m = nil
	}
	return m, err
}

// allow refuses what the access of the session does not cover.
func (s *session) allow(n need) error {
	switch {
	case n == needWrite && s.cfg.Access == ReadOnly:
		return &sftp.StatusError{Code: sftp.StatusPermissionDenied, Msg: "this server is read-only"}
	case n == needRead && s.cfg.Access == WriteOnly:
		return &sftp.StatusError{Code: sftp.StatusPermissionDenied, Msg: "this server is write-only"}
	}
	return nil
}
