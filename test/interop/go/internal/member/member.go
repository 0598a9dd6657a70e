// Package member is what the members of a group have in common: settings, commands and events.
package member

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

// Settings are the arguments beside the bootstrap address.
type Settings map[string]string

// Partition names one; Offset is only of a seek.
type Partition struct {
	Topic  string
	Index  int32
	Offset int64
}

// Arguments answers the bootstrap address and the settings.
func Arguments() (string, Settings) {
	bootstrap, settings := "", Settings{}
	for _, argument := range os.Args[1:] {
		if key, value, isPair := strings.Cut(argument, "="); isPair {
			settings[key] = value
		} else {
			bootstrap = argument
		}
	}
	return bootstrap, settings
}

// Command is a word and the partition that it is for.
type Command struct {
	Word string
	Partition
}

// Commands yields the lines of standard input.
func Commands() <-chan Command {
	commands := make(chan Command)
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			words := strings.Fields(lines.Text())
			command := Command{Word: words[0]}
			if len(words) > 1 {
				topic, index, _ := strings.Cut(words[1], ":")
				number, _ := strconv.Atoi(index)
				command.Topic, command.Index = topic, int32(number)
			}
			if len(words) > 2 {
				command.Offset, _ = strconv.ParseInt(words[2], 10, 64)
			}
			commands <- command
		}
	}()
	return commands
}

var printing sync.Mutex

func print(value any) {
	line, _ := json.Marshal(value)
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(line))
}

// Record tells of a record that was read.
func Record(topic string, index int32, offset int64) {
	print(struct {
		Event     string `json:"event"`
		Partition string `json:"partition"`
		Offset    int64  `json:"offset"`
	}{"record", fmt.Sprintf("%s:%d", topic, index), offset})
}

// Changed tells which partitions were assigned or revoked.
func Changed(event string, partitions map[string][]int32) {
	names := []string{}
	for topic, indexes := range partitions {
		for _, index := range indexes {
			names = append(names, fmt.Sprintf("%s:%d", topic, index))
		}
	}
	print(struct {
		Event      string   `json:"event"`
		Partitions []string `json:"partitions"`
	}{event, names})
}

// Done tells that a command has ended.
func Done(word string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	print(struct {
		Event   string `json:"event"`
		Command string `json:"command"`
		Error   string `json:"error"`
	}{"done", word, text})
}
