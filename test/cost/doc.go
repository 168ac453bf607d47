// Package cost measures what a step costs when a member wrote as much as it may:
// not in time, but in visits, counted by the program itself (see probe). A step,
// a tick and a reader of one thing cost what their input costs, whatever is held.
package cost
