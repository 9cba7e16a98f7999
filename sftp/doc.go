// Package sftp is the vocabulary of SFTP, the SSH File Transfer Protocol:
// every packet with its layout, name and number, once, for client, server and
// decoder. It speaks version 3 (draft-ietf-secsh-filexfer-02), which is what
// OpenSSH and most of the world speak, and OpenSSH's extensions (OpenSSH
// PROTOCOL §4). The version is part of the dialect, so that layouts of later
// versions find their place in the same Fields methods.
//
// It does no I/O of its own beyond cutting an io.Reader into packets
// ([PacketReader]) and knows no SSH. Package sftpclient asks, package
// sftpserver answers, package sftpdecode reads what others say.
//
// A packet is a four-byte length, the number of the message, and its fields.
// All but INIT and VERSION begin with a request id, which the one reply
// repeats. What an EXTENDED_REPLY holds depends on the request that it
// answers: [Messages] has an entry for each kind, keyed by a context, and a
// [Flow] knows which one it is.
//
//	c2s  INIT 3                      s2c  VERSION 3, extensions
//	c2s  OPEN 1 "/a"                 s2c  HANDLE 1
//	c2s  READ 2, READ 3, READ 4      s2c  DATA 2, DATA 3, STATUS 4 EOF
//	c2s  CLOSE 5                     s2c  STATUS 5 OK
package sftp

import (
	"github.com/wirelark/wirelark/wire"
)

// Numbers of the messages. draft-ietf-secsh-filexfer-02 §3.
const (
	NumInit          = 1
	NumVersion       = 2
	NumOpen          = 3
	NumClose         = 4
	NumRead          = 5
	NumWrite         = 6
	NumLStat         = 7
	NumFStat         = 8
	NumSetStat       = 9
	NumFSetStat      = 10
	NumOpenDir       = 11
	NumReadDir       = 12
	NumRemove        = 13
	NumMkdir         = 14
	NumRmdir         = 15
	NumRealPath      = 16
	NumStat          = 17
	NumRename        = 18
	NumReadLink      = 19
	NumSymlink       = 20
	NumStatus        = 101
	NumHandle        = 102
	NumData          = 103
	NumName          = 104
	NumAttrs         = 105
	NumExtended      = 200
	NumExtendedReply = 201
)

// Contexts of EXTENDED_REPLY, by the request that it answers; see
// [ReplyContext].
const (
	ContextStatVFS     = "statvfs@openssh.com" // also answers fstatvfs
	ContextLimits      = "limits@openssh.com"
	ContextUsersGroups = "users-groups-by-id@openssh.com"
)

// Messages is the registry of SFTP.
var Messages = wire.NewRegistry("sftp",
	wire.Entry{Number: NumInit, Name: "SSH_FXP_INIT", From: wire.FromClient, Section: "filexfer-02 §4", New: wire.New[Init]},
	wire.Entry{Number: NumVersion, Name: "SSH_FXP_VERSION", From: wire.FromServer, Section: "filexfer-02 §4", New: wire.New[VersionReply]},
	wire.Entry{Number: NumOpen, Name: "SSH_FXP_OPEN", From: wire.FromClient, Section: "filexfer-02 §6.3", New: wire.New[Open]},
	wire.Entry{Number: NumClose, Name: "SSH_FXP_CLOSE", From: wire.FromClient, Section: "filexfer-02 §6.3", New: wire.New[Close]},
	wire.Entry{Number: NumRead, Name: "SSH_FXP_READ", From: wire.FromClient, Section: "filexfer-02 §6.4", New: wire.New[Read]},
	wire.Entry{Number: NumWrite, Name: "SSH_FXP_WRITE", From: wire.FromClient, Section: "filexfer-02 §6.4", New: wire.New[Write]},
	wire.Entry{Number: NumLStat, Name: "SSH_FXP_LSTAT", From: wire.FromClient, Section: "filexfer-02 §6.8", New: wire.New[LStat]},
	wire.Entry{Number: NumFStat, Name: "SSH_FXP_FSTAT", From: wire.FromClient, Section: "filexfer-02 §6.8", New: wire.New[FStat]},
	wire.Entry{Number: NumSetStat, Name: "SSH_FXP_SETSTAT", From: wire.FromClient, Section: "filexfer-02 §6.9", New: wire.New[SetStat]},
	wire.Entry{Number: NumFSetStat, Name: "SSH_FXP_FSETSTAT", From: wire.FromClient, Section: "filexfer-02 §6.9", New: wire.New[FSetStat]},
	wire.Entry{Number: NumOpenDir, Name: "SSH_FXP_OPENDIR", From: wire.FromClient, Section: "filexfer-02 §6.7", New: wire.New[OpenDir]},
	wire.Entry{Number: NumReadDir, Name: "SSH_FXP_READDIR", From: wire.FromClient, Section: "filexfer-02 §6.7", New: wire.New[ReadDir]},
	wire.Entry{Number: NumRemove, Name: "SSH_FXP_REMOVE", From: wire.FromClient, Section: "filexfer-02 §6.5", New: wire.New[Remove]},
	wire.Entry{Number: NumMkdir, Name: "SSH_FXP_MKDIR", From: wire.FromClient, Section: "filexfer-02 §6.6", New: wire.New[Mkdir]},
	wire.Entry{Number: NumRmdir, Name: "SSH_FXP_RMDIR", From: wire.FromClient, Section: "filexfer-02 §6.6", New: wire.New[Rmdir]},
	wire.Entry{Number: NumRealPath, Name: "SSH_FXP_REALPATH", From: wire.FromClient, Section: "filexfer-02 §6.11", New: wire.New[RealPath]},
	wire.Entry{Number: NumStat, Name: "SSH_FXP_STAT", From: wire.FromClient, Section: "filexfer-02 §6.8", New: wire.New[Stat]},
	wire.Entry{Number: NumRename, Name: "SSH_FXP_RENAME", From: wire.FromClient, Section: "filexfer-02 §6.5", New: wire.New[Rename]},
	wire.Entry{Number: NumReadLink, Name: "SSH_FXP_READLINK", From: wire.FromClient, Section: "filexfer-02 §6.10", New: wire.New[ReadLink]},
	wire.Entry{Number: NumSymlink, Name: "SSH_FXP_SYMLINK", From: wire.FromClient, Section: "filexfer-02 §6.10", New: wire.New[Symlink]},
	wire.Entry{Number: NumStatus, Name: "SSH_FXP_STATUS", From: wire.FromServer, Section: "filexfer-02 §7", New: wire.New[Status]},
	wire.Entry{Number: NumHandle, Name: "SSH_FXP_HANDLE", From: wire.FromServer, Section: "filexfer-02 §7", New: wire.New[Handle]},
	wire.Entry{Number: NumData, Name: "SSH_FXP_DATA", From: wire.FromServer, Section: "filexfer-02 §7", New: wire.New[Data]},
	wire.Entry{Number: NumName, Name: "SSH_FXP_NAME", From: wire.FromServer, Section: "filexfer-02 §7", New: wire.New[Name]},
	wire.Entry{Number: NumAttrs, Name: "SSH_FXP_ATTRS", From: wire.FromServer, Section: "filexfer-02 §7", New: wire.New[AttrsReply]},
	wire.Entry{Number: NumExtended, Name: "SSH_FXP_EXTENDED", From: wire.FromClient, Section: "filexfer-02 §8", New: wire.New[Extended]},
	wire.Entry{Number: NumExtendedReply, Name: "SSH_FXP_EXTENDED_REPLY", From: wire.FromServer, Section: "filexfer-02 §8", New: wire.New[ExtendedReply]},
	wire.Entry{Number: NumExtendedReply, Context: ContextStatVFS, Name: "SSH_FXP_EXTENDED_REPLY", From: wire.FromServer, Section: "OpenSSH PROTOCOL §4.4", New: wire.New[StatVFSReply]},
	wire.Entry{Number: NumExtendedReply, Context: ContextLimits, Name: "SSH_FXP_EXTENDED_REPLY", From: wire.FromServer, Section: "OpenSSH PROTOCOL §4.8", New: wire.New[LimitsReply]},
	wire.Entry{Number: NumExtendedReply, Context: ContextUsersGroups, Name: "SSH_FXP_EXTENDED_REPLY", From: wire.FromServer, Section: "OpenSSH PROTOCOL §4.12", New: wire.New[UsersGroupsReply]},
)

// Version3 is the version that this package speaks completely.
const Version3 = 3

// Dialects lists the dialects in which messages differ.
var Dialects = []wire.Dialect{Dialect(Version3)}

// Dialect returns the dialect of a protocol version.
func Dialect(version int) wire.Dialect { return wire.Dialect{uint64(version)} }

// Version returns the protocol version of a dialect. The zero Dialect, before
// any negotiation, counts as version 3.
func Version(d wire.Dialect) int {
	if d[0] == 0 {
		return Version3
	}
	return int(d[0])
}

// Append appends the packet of m, its number first and without a length, to
// dst.
func Append(dst []byte, m wire.Message, d wire.Dialect) ([]byte, error) {
	return Messages.Append(dst, m, d)
}

// Parse decodes packet, which begins with its number, into m. Bytes behind the
// last field are ignored, as filexfer-13 §4.3 demands and all versions need.
// Byte slices in m alias packet.
func Parse(packet []byte, m wire.Message, d wire.Dialect) error {
	_, err := Messages.ParsePrefix(packet, m, d)
	return err
}

// Describe decodes packet, which begins with its number, into m and returns
// its fields; see [wire.Describe].
func Describe(packet []byte, m wire.Message, d wire.Dialect) ([]wire.Field, error) {
	return Messages.Describe(packet, m, d)
}

// Header returns the number of a packet and the request id behind it. It
// returns ok false for a packet that is too short to have an id, and for INIT
// and VERSION, which have none.
func Header(packet []byte) (number uint8, id uint32, ok bool) {
	if len(packet) == 0 {
		return 0, 0, false
	}
	number = packet[0]
	if len(packet) < 5 || number == NumInit || number == NumVersion {
		return number, 0, false
	}
	return number, uint32(packet[1])<<24 | uint32(packet[2])<<16 | uint32(packet[3])<<8 | uint32(packet[4]), true
}

// IsReply reports whether a message of this number answers a request.
func IsReply(number uint8) bool {
	return number >= NumStatus && number <= NumAttrs || number == NumExtendedReply
}
