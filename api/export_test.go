package api

// InRequests is inRequests, for tests.
var InRequests = inRequests

// CostlyRoutes are the routes with a bucket of their own, for tests.
var CostlyRoutes = costly

// Recorded are the examples as they are built in, for tests.
func Recorded() []byte { return recorded }

// Record has servers built from here on show other examples, for tests.
func Record(examples []byte) { recorded = examples }

// Example is one of them.
type Example = example
