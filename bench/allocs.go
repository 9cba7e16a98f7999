package main

import (
	"context"
	"runtime"
)

// allocations counts what both sides allocate for a packet of data: what the
// libraries do, not the work around them, which reuses its buffers.
func allocations(ctx context.Context, e *env) ([]figure, error) {
	e.mention("Both sides together, in this process, for each packet of data: 32 KiB packets by the thousand, with all their window adjustments; and 64-byte writes. Less than one in a hundred is written as 0.")
	figures := []figure{
		{name: "32 KiB, down", unit: "allocs", lower: true, goals: []goal{{ours, 0}}},
		{name: "32 KiB, up", unit: "allocs", lower: true, goals: []goal{{ours, 0}}},
		{name: "64 B, up", unit: "allocs", lower: true, goals: []goal{{ours, 0}}},
		{name: "32 KiB, down", unit: "bytes", lower: true},
		{name: "32 KiB, up", unit: "bytes", lower: true},
		{name: "64 B, up", unit: "bytes", lower: true},
	}
	for _, column := range []int{ours, theirs} {
		p, err := newPair(ctx, e, column, algorithms{cipher: gcm})
		if err != nil {
			return nil, err
		}
		const packets = 16 << 10
		work := []func(n int64) error{
			func(n int64) error { return download(ctx, p, n*chunk) },
			func(n int64) error { return upload(ctx, p, n*chunk, chunk) },
			func(n int64) error { return upload(ctx, p, n*64, 64) },
		}
		for i, do := range work {
			figures[i].run[column] = func(context.Context) (float64, error) {
				a, _, err := allocated(packets, do)
				return a, err
			}
			figures[i+3].run[column] = func(context.Context) (float64, error) {
				_, b, err := allocated(packets, do)
				return b, err
			}
		}
	}
	return figures, nil
}

// allocated runs work with n and with 2n packets and returns what one packet
// adds: objects and bytes.
func allocated(n int64, work func(n int64) error) (objects, bytes float64, err error) {
	var m [3]runtime.MemStats
	runtime.ReadMemStats(&m[0])
	if err := work(n); err != nil {
		return 0, 0, err
	}
	runtime.ReadMemStats(&m[1])
	if err := work(2 * n); err != nil {
		return 0, 0, err
	}
	runtime.ReadMemStats(&m[2])
	more := func(f func(m *runtime.MemStats) uint64) float64 {
		per := float64(int64(f(&m[2])-f(&m[1]))-int64(f(&m[1])-f(&m[0]))) / float64(n)
		return max(0, per)
	}
	objects = more(func(m *runtime.MemStats) uint64 { return m.Mallocs })
	if objects < 0.01 {
		objects = 0
	}
	return objects, more(func(m *runtime.MemStats) uint64 { return m.TotalAlloc }), nil
}
