package ssh

import (
	"testing"

	"github.com/wirelark/wirelark/wire/wiretest"
)

var suite = wiretest.Suite{Registry: Messages, Dialects: Dialects, Words: []string{
	MethodNone, MethodPublicKey, MethodPassword, MethodKbdInt, MethodHostbased,
	GlobalTCPIPForward, GlobalCancelTCPIPForward, GlobalStreamLocalForward, GlobalHostKeys, GlobalKeepalive,
	ChannelSession, ChannelX11, ChannelDirectTCPIP, ChannelForwardedTCPIP, ChannelDirectStreamLocal, ChannelForwardedStreamLocal, ChannelAgent,
	RequestPTY, RequestX11, RequestEnv, RequestShell, RequestExec, RequestSubsystem, RequestWindowChange, RequestXonXoff,
	RequestSignal, RequestExitStatus, RequestExitSignal, RequestBreak, RequestAgent, RequestEOW,
}}

func TestMessages(t *testing.T) { wiretest.Check(t, suite) }

func FuzzMessages(f *testing.F) { wiretest.Fuzz(f, suite) }
