package coordinator

// Message is what a machine takes: a command, or what the shell has to tell. Only
// this package has kinds of it.
type Message interface{ run(*step) error }

// Command is a message that somebody waits for: its answer is an A.
type Command[A any] interface {
	Message
	reply(A) Reply
}

// Done is the answer of commands that have nothing to tell but that they are done.
type Done struct{}

// answer gives a command its answer.
func answer[A any](s *step, to Command[A], a A) { s.do(to.reply(a)) }

// needsSignatures is a command that may ask for this node's signatures, and goes on when
// they are there.
type needsSignatures interface {
	Message
	signed(*step, Signed) error
}
