package backend

import (
	"os/user"
	"strconv"
	"sync"
)

// owners remembers the names of users and groups: looking one up can take a
// question to a directory server, and a listing asks for the same few.
type owners struct {
	mu     sync.Mutex
	users  map[uint32]string
	groups map[uint32]string
}

// maxOwners bounds what is remembered.
const maxOwners = 4096

func (o *owners) user(uid uint32) string {
	return o.lookup(&o.users, uid, func(id string) string {
		if u, err := user.LookupId(id); err == nil {
			return u.Username
		}
		return ""
	})
}

func (o *owners) group(gid uint32) string {
	return o.lookup(&o.groups, gid, func(id string) string {
		if g, err := user.LookupGroupId(id); err == nil {
			return g.Name
		}
		return ""
	})
}

// lookup returns the name of id, empty when it has none.
func (o *owners) lookup(m *map[uint32]string, id uint32, find func(string) string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	name, ok := (*m)[id]
	if ok {
		return name
	}
	name = find(strconv.FormatUint(uint64(id), 10))
	if *m == nil || len(*m) >= maxOwners {
		*m = make(map[uint32]string)
	}
	(*m)[id] = name
	return name
}
