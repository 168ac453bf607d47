package coordinator

import "github.com/quorate/quorate/coordinator/robot"

// AsRobot is a machine of a node that is a robot, with the text of its operator's ceiling if
// there is one, or of a human.
func (m Machine) AsRobot(mode robot.Mode, ceiling []byte) Machine {
	m.desk.Mode, m.desk.Ceiling = mode, ceiling
	return m
}

// CeilingFits says what is wrong with the ceiling for this wallet: its robot signs nothing here.
func (m *Machine) CeilingFits() error {
	if m.desk.Mode == robot.Off || len(m.desk.Ceiling) == 0 || m.State.Active() == nil {
		return nil
	}
	me, _ := m.State.Active().Index(m.State.Me())
	return robot.FitCeiling(m.desk.Ceiling, m.State, me)
}
