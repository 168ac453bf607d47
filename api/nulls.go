package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// sayNulls says in the document of every pointer to an object that it may be
// null: the library does so of pointers to plain values alone.
func sayNulls(r huma.Registry) {
	for name, s := range r.Map() {
		if t := r.TypeFromRef("#/components/schemas/" + name); t != nil {
			nullsOf(deref(t), s)
		}
	}
}

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func nullsOf(t reflect.Type, s *huma.Schema) {
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			nullsOf(deref(f.Type), s)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := s.Properties[name]
		if f.Type.Kind() != reflect.Pointer || p == nil || p.Ref == "" {
			continue
		}
		// What stands beside a reference is kept beside the choice.
		s.Properties[name] = &huma.Schema{Description: f.Tag.Get("doc"), OneOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
	}
}

// enum says which words a property may be, where they are more than a tag holds.
func enum(s *huma.Schema, property string, words []string) *huma.Schema {
	values := make([]any, len(words))
	for i, w := range words {
		values[i] = w
	}
	s.Properties[property].Enum = values
	return s
}

// TransformSchema implements huma.SchemaTransformer.
func (ErrorText) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return enum(s, "code", Codes())
}

// TransformSchema implements huma.SchemaTransformer.
func (Warning) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return enum(s, "code", Codes())
}

// TransformSchema implements huma.SchemaTransformer.
func (Alarm) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return enum(s, "code", AlarmCodes())
}
