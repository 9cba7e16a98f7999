package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// machine is where the figures come from.
type machine struct {
	cpu, memory, kernel, load, openSSH string
	date                               time.Time
	modules                            []string
}

func thisMachine(e *env) machine {
	m := machine{
		cpu: field("/proc/cpuinfo", "model name"), memory: field("/proc/meminfo", "MemTotal"),
		kernel: strings.TrimSpace(read("/proc/sys/kernel/osrelease")), load: load(), date: time.Now().UTC(), openSSH: "not installed",
	}
	if e.ssh != nil {
		m.openSSH = e.ssh.version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "golang.org/x/crypto" || d.Path == "github.com/pkg/sftp" || d.Path == "github.com/go-sql-driver/mysql" {
				m.modules = append(m.modules, d.Path+" "+d.Version)
			}
		}
	}
	return m
}

func (m *machine) lines() []string {
	memory := m.memory
	var kib int64
	if _, err := fmt.Sscanf(memory, "%d kB", &kib); err == nil {
		memory = fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
	}
	return []string{
		fmt.Sprintf("machine: %d cores, %s, %s memory, %s/%s, kernel %s", runtime.NumCPU(), m.cpu, memory, runtime.GOOS, runtime.GOARCH, m.kernel),
		fmt.Sprintf("%s, %s", runtime.Version(), strings.Join(m.modules, ", ")),
		"OpenSSH: " + m.openSSH,
		m.date.Format("2006-01-02 15:04 UTC"),
	}
}

func read(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(b)
}

// field returns the first value of a name in a file of "name: value" lines.
func field(file, name string) string {
	for l := range strings.Lines(read(file)) {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

// load returns the averages of the last 1, 5 and 15 minutes.
func load() string {
	f := strings.Fields(read("/proc/loadavg"))
	if len(f) < 3 {
		return "unknown"
	}
	return strings.Join(f[:3], " ")
}
