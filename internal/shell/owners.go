package shell

import (
	"context"
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/sftp/sftpclient"
)

// owners are names of users and groups that the server has told, by number;
// empty: it knows none.
type owners struct {
	users, groups map[uint32]string
}

// learn asks for the names of those who own the entries, once for each number,
// with one request for all. A server that does not know how leaves the names
// of its own lines.
func (s *Shell) learn(ctx context.Context, entries []entry) {
	if s.owners.users == nil {
		s.owners = owners{map[uint32]string{}, map[uint32]string{}}
	}
	var uids, gids []uint32
	ask := func(list *[]uint32, known map[uint32]string, id uint32) {
		if _, ok := known[id]; !ok {
			known[id] = ""
			*list = append(*list, id)
		}
	}
	for _, e := range entries {
		a := e.info.Attrs()
		ask(&uids, s.owners.users, a.UID)
		ask(&gids, s.owners.groups, a.GID)
	}
	users, groups, err := s.client.Names(ctx, uids, gids)
	if err != nil {
		return // numbers are as true
	}
	for i, id := range uids {
		s.owners.users[id] = users[i]
	}
	for i, id := range gids {
		s.owners.groups[id] = groups[i]
	}
}

// of returns whom a file belongs to: by the names that the server has told,
// else by those of its own line, which is for people (filexfer-02 §7), else by
// number.
func (o *owners) of(i *sftpclient.Info) (owner, group string) {
	a := i.Attrs()
	owner, group = fmt.Sprint(a.UID), fmt.Sprint(a.GID)
	if f := strings.Fields(i.LongName()); len(f) >= 9 {
		owner, group = f[2], f[3]
	}
	if name := o.users[a.UID]; name != "" {
		owner = name
	}
	if name := o.groups[a.GID]; name != "" {
		group = name
	}
	return owner, group
}
