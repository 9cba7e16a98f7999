package flow

// A node is the place of a conversation in a list. A list knows its oldest
// and its newest node and takes any out in constant time.
type node struct {
	c            *conversation
	older, newer *node
	in           bool
}

type list struct{ oldest, newest *node }

func (l *list) push(n *node) {
	n.in, n.older, n.newer = true, l.newest, nil
	if l.newest != nil {
		l.newest.newer = n
	} else {
		l.oldest = n
	}
	l.newest = n
}

func (l *list) remove(n *node) {
	if !n.in {
		return
	}
	if n.older != nil {
		n.older.newer = n.newer
	} else {
		l.oldest = n.newer
	}
	if n.newer != nil {
		n.newer.older = n.older
	} else {
		l.newest = n.older
	}
	n.in, n.older, n.newer = false, nil, nil
}

// touch makes n the newest.
func (l *list) touch(n *node) {
	if l.newest != n {
		l.remove(n)
		l.push(n)
	}
}
