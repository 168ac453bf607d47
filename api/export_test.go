package api

// InRequests is inRequests, for tests.
var InRequests = inRequests

// CostlyRoutes are the routes with a bucket of their own, for tests.
var CostlyRoutes = costly
