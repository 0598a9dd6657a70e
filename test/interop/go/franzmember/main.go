// A member of a group with franz-go.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"odradek/interop/internal/member"
)

func main() {
	bootstrap, settings := member.Arguments()
	told := func(event string) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			member.Changed(event, partitions)
		}
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumerGroup(settings["group"]),
		kgo.DisableAutoCommit(),
		kgo.SessionTimeout(6 * time.Second),
		kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.MetadataMaxAge(time.Second),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.FetchMaxWait(500 * time.Millisecond),
		kgo.OnPartitionsAssigned(told("assigned")),
		kgo.OnPartitionsRevoked(told("revoked")),
		kgo.OnPartitionsLost(told("revoked")),
	}
	if settings["protocol"] == "consumer" {
		options = append(options, kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer()))
	} else if _, wanted := settings["cooperative"]; !wanted {
		options = append(options, kgo.Balancers(kgo.RangeBalancer()))
	}
	if settings["reset"] == "latest" {
		options = append(options, kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
	} else {
		options = append(options, kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	}
	if instance, static := settings["instance"]; static {
		options = append(options, kgo.InstanceID(instance))
	}
	if regex, wanted := settings["regex"]; wanted {
		options = append(options, kgo.ConsumeRegex(), kgo.ConsumeTopics(regex))
	} else {
		options = append(options, kgo.ConsumeTopics(settings["topics"]))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	commands := member.Commands()
	for {
		select {
		case command := <-commands:
			if command.Word == "close" {
				client.Close()
				return
			}
			execute(client, command)
		default:
			poll(client)
		}
	}
}

func poll(client *kgo.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
		member.Record(record.Topic, record.Partition, record.Offset)
	})
}

func execute(client *kgo.Client, command member.Command) {
	partition := map[string][]int32{command.Topic: {command.Index}}
	switch command.Word {
	case "commit":
		member.Done(command.Word, client.CommitUncommittedOffsets(context.Background()))
		return
	case "commit-async":
		go func() { member.Done(command.Word, client.CommitUncommittedOffsets(context.Background())) }()
		return
	case "pause":
		client.PauseFetchPartitions(partition)
	case "resume":
		client.ResumeFetchPartitions(partition)
	case "seek":
		client.SetOffsets(map[string]map[int32]kgo.EpochOffset{
			command.Topic: {command.Index: {Epoch: -1, Offset: command.Offset}},
		})
	}
	member.Done(command.Word, nil)
}
