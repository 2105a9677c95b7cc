// Package server answers.
package server

import (
	"fmt"
	rnd "math/rand"
	"net/http"

	_ "embed"
	. "example.org/dots"
	"gopkg.in/yaml.v3"
)

const (
	// Limit is how many.
	Limit = 10
	small = iota
)

var handler, other http.Handler = fallback(), nil

// Server answers requests.
// It is safe for two.
type Server[T any] struct {
	*Base
	http.Client
	Name, addr string
	routes     map[string]*Route
}

type Runner interface {
	Closer
	Run(count int) error
}

type Alias = yaml.Node

func (s *Server[T]) Run(count int) (err error) {
	route := s.routes["x"].Find(count)
	local := &Route{Path: s.Name}
	local.Open(route.Path)
	var node yaml.Node
	node.Decode(&err)
	for i, one := range local.All() {
		one.Close(i)
	}
	if value := rnd.Intn(Limit); value > small {
		s.addr = fmt.Sprint(value, len(s.Name))
	}
	func(text string) { print(text) }("x")
	switch kind := handler.(type) {
	case *Route:
		kind.Open("")
	}
	return helper(s)
}

func (s Server[T]) close() {}

type Route struct{ Path string }

func TestRun(t *testing.T) {
	New[int](1).Run(2)
}
