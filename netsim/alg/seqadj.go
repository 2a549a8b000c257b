package alg

// correction is what Linux knows about the lengths of the texts that it has
// changed in one direction (nf_conntrack_seqadj): one position, and by how much
// numbers up to it and behind it differ. It is exact only for what is near the
// last change, which is enough as long as the sender does not send much before
// it is acknowledged.
type correction struct {
	position      uint32 // the sender's number of the segment that was changed last
	before, after int32
}

// add notes that the segment at seq has grown. Up to the last position it is a
// repetition and counts for nothing.
func (c *correction) add(seq uint32, grown int32, f Faults) {
	if c.before != c.after && int32(seq-c.position) <= 0 && !f.DeltaTwice {
		return
	}
	c.position, c.before, c.after = seq, c.after, c.after+grown
	if f.ForgetsDelta {
		c.after = grown
	}
}

// forward turns the sender's number into the receiver's.
func (c *correction) forward(seq uint32) uint32 {
	if int32(seq-c.position) > 0 {
		return seq + uint32(c.after)
	}
	return seq + uint32(c.before)
}

// back turns the receiver's number into the sender's.
func (c *correction) back(ack uint32) uint32 {
	if int32(ack-uint32(c.before)-c.position) > 0 {
		return ack - uint32(c.after)
	}
	return ack - uint32(c.before)
}
