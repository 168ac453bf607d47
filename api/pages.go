package api

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
)

// PageQuery asks for a part of a list; exported because the router skips what is not.
type PageQuery struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"The next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many at most."`
}

// cut is the page of a whole list that a query asks for; the name of its last
// item is the cursor of the next one. A cursor is good for as long as what it
// names is in the list.
func cut[T any](items []T, q PageQuery, name func(T) string) (Page[T], error) {
	if q.Cursor != "" {
		at := slices.IndexFunc(items, func(x T) bool { return name(x) == q.Cursor })
		if at < 0 {
			return Page[T]{}, Misuse("bad_cursor", fmt.Sprintf("%.80q is not in the list, or not any more", q.Cursor), "begin again, without a cursor")
		}
		items = items[at+1:]
	}
	p := Page[T]{Items: items}
	if len(items) > q.Limit {
		p.Items = items[:q.Limit]
		p.Next = Text(name(items[q.Limit-1]))
	}
	return p, nil
}

// whole fetches every page of a list.
func whole[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	var out []T
	query := url.Values{"limit": {strconv.Itoa(MaxPage)}}
	for {
		p, err := fetch[Page[T]](ctx, c, path, query)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Items...)
		if p.Next == "" || len(p.Items) == 0 {
			return out, nil
		}
		query.Set("cursor", string(p.Next))
	}
}
