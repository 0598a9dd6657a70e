// A member of a group with sarama, which knows neither patterns nor cooperative rebalances, and
// whose sessions begin at what is committed: it seeks by a commit and another session.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"odradek/interop/internal/member"
)

type handler struct {
	mutex   sync.Mutex
	session sarama.ConsumerGroupSession
	// Ends the session.
	end context.CancelFunc
}

func main() {
	bootstrap, settings := member.Arguments()
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	if settings["reset"] == "latest" {
		config.Consumer.Offsets.Initial = sarama.OffsetNewest
	}
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	config.Consumer.Group.InstanceId = settings["instance"]
	config.Consumer.Return.Errors = true
	config.Metadata.RefreshFrequency = time.Second
	group, err := sarama.NewConsumerGroup([]string{bootstrap}, settings["group"], config)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		for err := range group.Errors() {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	members := &handler{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			inner, end := context.WithCancel(ctx)
			members.mutex.Lock()
			members.end = end
			members.mutex.Unlock()
			err := group.Consume(inner, []string{settings["topics"]}, members)
			end()
			if errors.Is(err, sarama.ErrClosedConsumerGroup) {
				return
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				time.Sleep(100 * time.Millisecond)
			}
		}
	}()
	for command := range member.Commands() {
		if command.Word == "close" {
			cancel()
			<-ended
			if err := group.Close(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
		members.execute(group, command)
	}
}

func (h *handler) execute(group sarama.ConsumerGroup, command member.Command) {
	partition := map[string][]int32{command.Topic: {command.Index}}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	switch command.Word {
	case "commit":
		h.session.Commit()
	case "pause":
		group.Pause(partition)
	case "resume":
		group.Resume(partition)
	case "seek":
		h.session.ResetOffset(command.Topic, command.Index, command.Offset, "")
		h.session.Commit()
		h.end()
	default:
		member.Done(command.Word, errors.New("unknown"))
		return
	}
	member.Done(command.Word, nil)
}

func (h *handler) Setup(session sarama.ConsumerGroupSession) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.session = session
	member.Changed("assigned", session.Claims())
	return nil
}

func (h *handler) Cleanup(session sarama.ConsumerGroupSession) error {
	member.Changed("revoked", session.Claims())
	return nil
}

func (h *handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			member.Record(message.Topic, message.Partition, message.Offset)
			session.MarkMessage(message, "")
		case <-session.Context().Done():
			return nil
		}
	}
}
