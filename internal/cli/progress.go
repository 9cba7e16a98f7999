package cli

import (
	"os"
	"path"
	"sync"

	"github.com/schollz/progressbar/v3"

	"github.com/wirelark/wirelark/sftp/transfer"
)

// progress returns how transfers show themselves: a line with rate and
// remaining time on a terminal, nothing elsewhere.
func (a *app) progress() func() (report func(transfer.Event), done func()) {
	if _, ok := terminal(a.Stderr); !ok || a.quiet {
		return nil
	}
	return func() (func(transfer.Event), func()) {
		m := &meter{out: a.Stderr.(*os.File)}
		return m.report, m.done
	}
}

// meter shows the sum of all files that are under way or done.
type meter struct {
	out *os.File

	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	total int64 // as far as known
}

func (m *meter) report(e transfer.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar == nil {
		m.bar = progressbar.NewOptions64(
			-1, progressbar.OptionSetWriter(m.out), progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(20), progressbar.OptionThrottle(progressInterval),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true),
		)
	}
	switch e.Kind {
	case transfer.Begin:
		m.bar.Describe(harmless(path.Base(e.Path)))
		if e.Size > 0 {
			m.total += e.Size
			m.bar.ChangeMax64(m.total)
		}
	case transfer.Bytes:
		_ = m.bar.Add64(e.N) // a terminal that cannot be written to must not stop the transfer
	}
}

func (m *meter) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		_ = m.bar.Finish() // as above
	}
}
