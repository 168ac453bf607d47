package api

// InRequests is inRequests, for tests.
var InRequests = inRequests
