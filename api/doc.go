// Package api is the local HTTP interface of a node: its routes (OpenAPI 3.1 at
// /openapi.json), the event stream, the places it listens on, and the Go client
// that speaks to it. What a node does is behind Backend; this package knows
// nothing of Bitcoin, of peers or of the store, and decides nothing.
//
// A request passes, in this order: the door it came through, which gives it its
// right (the Unix socket everything; a bearer token on TCP what it says); the
// bound of that door on connections, bodies, streams and waits (bound.go,
// guard.go, wait.go); how often its token may ask (rate.go); the verb that its
// route needs, and the wallets that the caller is bound to (caller.go); the check
// that two readers cannot read its body differently (guard.go); the version that
// it waits for (version.go); whether it was done before (repeat.go); the shape of
// each field; what its token may spend (limit.go); and then Backend.
//
// What holds here:
//   - every failure is an *Error (error.go): a Kind, which is the HTTP status and
//     the exit status of the command line; a Code, which programs may rely on; a
//     message and a hint for people, without secrets;
//   - a proposal is looked at by 6 characters of its id, and acted upon by 32, for
//     short ones can be ground (ref.go);
//   - amounts are satoshis, fee rates satoshis per virtual byte, times RFC 3339
//     in UTC. A field that a request does not know is refused, a field that an
//     answer does not know is skipped: answers may grow;
//   - who has no token keeps nobody out, and who has one keeps nobody else out;
//   - nothing here waits for a client that does not read.
//
// Begin with backend.go, all that a node is asked; then dto.go, what is shown,
// the routes (routes.go, route_*.go), server.go and client.go.
package api
