package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// plain answers 400 where the router says 422: a request that is wrong is one
// thing, whether it is its form or a value.
type plain struct{ answerer }

// answerer has a name of its own since huma.Context has a method Context.
type answerer = huma.Context

// SetStatus implements huma.Context.
func (p plain) SetStatus(status int) {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	p.answerer.SetStatus(status)
}

func plainStatus(ctx huma.Context, next func(huma.Context)) { next(plain{ctx}) }

// made says of an operation that it makes something.
func made(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusCreated
	return op
}

// otherMethods lists the methods that a path takes.
func (s *Server) otherMethods(r *http.Request) []string {
	var out []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := s.routes.Handler(probe); pattern != "/" {
			out = append(out, method)
		}
	}
	return out
}
