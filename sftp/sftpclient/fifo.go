package sftpclient

// fifo is a queue that uses its memory again: once it has grown to the number
// of requests in flight it allocates nothing.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int    { return len(q.items) - q.head }
func (q *fifo[T]) at(i int) *T { return &q.items[q.head+i] }

func (q *fifo[T]) push(v T) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, v)
}

func (q *fifo[T]) pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return v
}

// insert puts v before the element i; i may be len.
func (q *fifo[T]) insert(i int, v T) {
	q.push(v)
	at := q.items[q.head+i:]
	copy(at[1:], at[:len(at)-1])
	at[0] = v
}
