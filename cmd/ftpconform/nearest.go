package main

import (
	"cmp"
	"slices"
	"strings"
)

// nearest returns the at most three candidates that a misspelt word most
// likely means: those that hold it, then those few letters away.
func nearest(word string, candidates []string) []string {
	type near struct {
		name string
		far  int
	}
	var found []near
	word = strings.ToLower(word)
	for _, c := range candidates {
		low := strings.ToLower(c)
		far := distance(word, low)
		if len(word) >= 3 && strings.Contains(low, word) {
			far = 0
		}
		if far <= max(2, len(word)/3) {
			found = append(found, near{c, far})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return cmp.Compare(a.far, b.far) })
	var out []string
	for _, f := range found[:min(3, len(found))] {
		out = append(out, f.name)
	}
	return out
}

// distance is the number of letters to insert, delete or change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
