// Package openapi holds the document of the API to what others make of it: programs that
// were written for v1 still run, and a client is generated from it that compiles. The tools
// are pinned, with all they are made of, by scripts/openapi/go.mod: nothing of them is in
// the product.
package openapi
