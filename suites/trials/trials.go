// Package trials has no code of its own: its tests run the suites as a whole
// against servers that are not ours, hostile ones and real ones. They stand
// apart from package suites so that Ginkgo can run that one alone.
package trials
