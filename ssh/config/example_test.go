package config_test

import (
	"context"
	"fmt"
	"log"

	"github.com/wirelark/wirelark/ssh/config"
)

func ExampleSource_Load() {
	text := `
Host *.example.org
  User ann
  ProxyJump gate.example.org:2222
Host *
  ServerAliveInterval 30
`
	s := &config.Source{Files: []config.File{{Path: "ssh_config", Text: []byte(text)}}}
	c, err := s.Load(context.Background(), config.Query{Host: "db.example.org", Options: []string{"Port=2022"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.User, c.HostName, c.Port, c.ProxyJump, c.ServerAliveInterval)
	// Output: ann db.example.org 2022 [gate.example.org:2222] 30s
}
