package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
)

type entry struct {
	word  string
	count int
}

func countWords(path string) (map[string]int, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()

	counts := make(map[string]int)
	scanner := bufio.NewScanner(file)
	scanner.Split(bufio.ScanWords)
	for scanner.Scan() {
		word := strings.Trim(strings.ToLower(scanner.Text()), ".,;:!?\"'()")
		if word != "" {
			counts[word]++
		}
	}
	return counts, scanner.Err()
}

func topWords(counts map[string]int, n int) []entry {
	entries := make([]entry, 0, len(counts))
	for word, count := range counts {
		entries = append(entries, entry{word, count})
	}
	sort.Slice(entries, func(i, j int) bool {
		return entries[i].count > entries[j].count
	})
	if len(entries) > n {
		entries = entries[:n]
	}
	return entries
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: wordcount FILE")
	}
	counts, err := countWords(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range topWords(counts, 10) {
		fmt.Printf("%6d %s\n", e.count, e.word)
	}
}
