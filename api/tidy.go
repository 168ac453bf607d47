package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	gopath "path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// tidy refuses what the router would read otherwise than it stands there: a path with
// nothing, a dot or two between its slashes, from which it would lead elsewhere, and a
// query that is none, or has something twice, of which it would leave a part out.
func tidy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.EscapedPath(); gopath.Clean(p) != p {
			refuse(w, r, Missing("unknown_route", "there is no such path: a part of it is empty or made of dots, or it ends with a slash", "see /openapi.json"))
			return
		}
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			refuse(w, r, Misuse("bad_request", "the query is none", "write name=value with & between, and what is no letter or digit as %XX"))
			return
		}
		for name, values := range query {
			if len(values) > 1 {
				refuse(w, r, Misuse("bad_request", fmt.Sprintf("the query has %.40q twice", name), "give each once; a list has commas between"))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// takesBody says whether the input of an operation has a body.
func takesBody[I any]() bool {
	t := reflect.TypeFor[I]()
	if t.Kind() != reflect.Struct {
		return false
	}
	_, ok := t.FieldByName("Body")
	return ok
}

// noBody refuses a body where none is taken: what stands in it would be done without.
func noBody(ctx huma.Context, next func(huma.Context)) {
	b, err := io.ReadAll(ctx.BodyReader()) // guardBody has it
	if text := strings.TrimSpace(string(b)); err == nil && (text == "" || text == "{}") {
		next(ctx)
		return
	}
	e := spoken(ctx.Context(), Misuse("bad_request", "this takes no body", "leave it out"))
	ctx.SetHeader("Content-Type", "application/json")
	ctx.SetStatus(e.GetStatus())
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(e) // the client may be gone
}
