package sftpclient

import (
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

// rawRequest is an EXTENDED request whose data the caller has encoded. It is
// a message of its own because [sftp.Extended] would encode the data of
// requests that it knows.
type rawRequest struct {
	id      uint32
	request string
	data    []byte
}

func (m *rawRequest) Fields(c *wire.Coder) {
	c.U32("id", &m.id)
	c.Text("extended_request", &m.request)
	c.Rest("request_data", &m.data)
}

// WireEntry says that it is an SSH_FXP_EXTENDED.
func (m *rawRequest) WireEntry() *wire.Entry { return sftp.Messages.Find("", sftp.NumExtended) }
