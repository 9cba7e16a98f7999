package sshclient_test

import (
	"context"

	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// restricted lets every key in with the same grant.
type restricted struct{ grant sshserver.Grant }

func (restricted) Acceptable(context.Context, sshserver.Attempt, keys.PublicKey) bool { return true }

func (r restricted) Authorize(context.Context, sshserver.Attempt, sshserver.VerifiedKey) (*sshserver.Grant, error) {
	return &r.grant, nil
}
