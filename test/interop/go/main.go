// franz-go against one broker: every check prints a line of JSON. Partitions are consumed directly,
// without a group.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const t0 = int64(1_700_000_000_000)

var (
	bootstrap string
	admin     *kadm.Client
)

func main() {
	bootstrap = os.Args[1]
	// kadm answers from metadata that is younger than this.
	client := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.MetadataMinAge(10*time.Millisecond)))
	defer client.Close()
	admin = kadm.NewClient(client)
	topics()
	codecs()
	acknowledgements()
	sizes()
	offsets()
	configs()
	ends()
}

func topics() {
	check("describe-cluster", func(ctx context.Context) {
		metadata := must(admin.BrokerMetadata(ctx))
		expect(len(metadata.Brokers) == 1 && metadata.Cluster != "", "metadata %+v", metadata)
		expect(metadata.Controller == metadata.Brokers[0].NodeID, "controller %d", metadata.Controller)
	})
	check("api-versions", func(ctx context.Context) {
		for _, broker := range must(admin.ApiVersions(ctx)) {
			expect(broker.Err == nil, "error %v", broker.Err)
			_, produces := broker.KeyMaxVersion(0)
			expect(produces, "no Produce")
		}
	})
	check("create-topics", func(ctx context.Context) {
		create(ctx, "plain", 3, nil)
		create(ctx, "configured", 1, map[string]*string{"retention.ms": kadm.StringPtr("3600000")})
		create(ctx, "defaults", -1, nil)
		await("topics", func() bool {
			listed := must(admin.ListTopics(ctx))
			return len(listed["plain"].Partitions) == 3 && listed.Has("configured") && listed.Has("defaults")
		})
	})
	check("create-topic-twice-refused", func(ctx context.Context) {
		_, err := admin.CreateTopic(ctx, 1, 1, nil, "plain")
		expect(errors.Is(err, kerr.TopicAlreadyExists), "got %v", err)
	})
	check("describe-unknown-topic-refused", func(ctx context.Context) {
		described := must(admin.ListTopics(ctx, "nowhere"))
		expect(errors.Is(described["nowhere"].Err, kerr.UnknownTopicOrPartition), "got %v", described["nowhere"].Err)
	})
	check("describe-log-dirs", func(ctx context.Context) {
		dirs := must(admin.DescribeAllLogDirs(ctx, nil))
		for _, dir := range dirs {
			expect(dir.Error() == nil, "got %v", dir.Error())
		}
		expect(len(dirs) == 1, "dirs %v", dirs)
	})
}

func codecs() {
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		check("codec-"+name, func(ctx context.Context) {
			topic := "codec-" + name
			create(ctx, topic, 2, nil)
			sent := append(variety(topic, 0), variety(topic, 1)...)
			produce(ctx, sent, kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(20*time.Millisecond))
			compare(variety(topic, 0), read(ctx, topic, 0, 0, len(sent)/2))
			compare(variety(topic, 1), read(ctx, topic, 1, 0, len(sent)/2))
		})
	}
}

func acknowledgements() {
	for name, acks := range map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()} {
		check("acks-"+name, func(ctx context.Context) {
			topic := "acks-" + name
			create(ctx, topic, 1, nil)
			sent := numbered(topic, 100)
			produce(ctx, sent, kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
			compare(sent, read(ctx, topic, 0, 0, 100))
		})
	}
	check("idempotent", func(ctx context.Context) {
		create(ctx, "idempotent", 1, nil)
		sent := numbered("idempotent", 2000)
		produce(ctx, sent, kgo.ProducerBatchMaxBytes(1024))
		for i, record := range sent {
			expect(record.Offset == int64(i), "record %d at %d", i, record.Offset)
			expect(record.ProducerID >= 0, "producer id %d", record.ProducerID)
		}
		compare(sent, read(ctx, "idempotent", 0, 0, 2000))
	})
	check("auto-create-on-produce", func(ctx context.Context) {
		sent := numbered("auto-created", 10)
		produce(ctx, sent, kgo.AllowAutoTopicCreation())
		compare(sent, read(ctx, "auto-created", 0, 0, 10))
	})
}

func sizes() {
	check("record-of-almost-1-MiB", func(ctx context.Context) {
		create(ctx, "large", 1, nil)
		sent := []*kgo.Record{{Topic: "large", Timestamp: at(0), Value: random(1_048_400)}}
		produce(ctx, sent, kgo.ProducerBatchMaxBytes(1_048_588), kgo.ProducerBatchCompression(kgo.NoCompression()))
		compare(sent, read(ctx, "large", 0, 0, 1))
	})
	check("record-of-8-MiB-where-allowed", func(ctx context.Context) {
		create(ctx, "larger", 1, map[string]*string{"max.message.bytes": kadm.StringPtr("10000000")})
		sent := []*kgo.Record{{Topic: "larger", Timestamp: at(0), Value: random(8 << 20)}, {Topic: "larger", Timestamp: at(1), Value: random(8 << 20)}}
		produce(ctx, sent, kgo.ProducerBatchMaxBytes(10_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
		compare(sent, read(ctx, "larger", 0, 0, 2))
	})
	check("too-large-refused", func(ctx context.Context) {
		create(ctx, "smaller", 1, map[string]*string{"max.message.bytes": kadm.StringPtr("1000")})
		client := must(kgo.NewClient(kgo.SeedBrokers(bootstrap)))
		defer client.Close()
		err := client.ProduceSync(ctx, &kgo.Record{Topic: "smaller", Value: random(5000)}).FirstErr()
		expect(errors.Is(err, kerr.MessageTooLarge), "got %v", err)
	})
}

func offsets() {
	check("offsets-by-time", func(ctx context.Context) {
		create(ctx, "timed", 1, nil)
		produce(ctx, numbered("timed", 100))
		offset := func(listed kadm.ListedOffsets, err error) int64 {
			found, ok := must(listed, err).Lookup("timed", 0)
			expect(ok && found.Err == nil, "listed %v", listed)
			return found.Offset
		}
		expect(offset(admin.ListStartOffsets(ctx, "timed")) == 0, "start")
		expect(offset(admin.ListEndOffsets(ctx, "timed")) == 100, "end")
		expect(offset(admin.ListCommittedOffsets(ctx, "timed")) == 100, "committed")
		expect(offset(admin.ListMaxTimestampOffsets(ctx, "timed")) == 99, "max timestamp")
		expect(offset(admin.ListOffsetsAfterMilli(ctx, t0+41_500, "timed")) == 42, "middle")
		expect(offset(admin.ListOffsetsAfterMilli(ctx, t0-5, "timed")) == 0, "before")
	})
	check("offset-for-leader-epoch", func(ctx context.Context) {
		var request kadm.OffsetForLeaderEpochRequest
		request.Add("timed", 0, 0)
		found := must(admin.OffsetForLeaderEpoch(ctx, request))["timed"][0]
		expect(found.Err == nil && found.EndOffset == 100, "found %+v", found)
	})
	check("delete-records", func(ctx context.Context) {
		before := kadm.Offsets{}
		before.AddOffset("timed", 0, 30, -1)
		deleted := must(admin.DeleteRecords(ctx, before))
		low, _ := deleted.Lookup("timed", 0)
		expect(low.Err == nil && low.LowWatermark == 30, "deleted %+v", low)
		start, _ := must(admin.ListStartOffsets(ctx, "timed")).Lookup("timed", 0)
		expect(start.Offset == 30, "start %d", start.Offset)
		compare(numbered("timed", 100)[30:], read(ctx, "timed", 0, 0, 70))
	})
	check("delete-records-beyond-end-refused", func(ctx context.Context) {
		before := kadm.Offsets{}
		before.AddOffset("timed", 0, 101, -1)
		low, _ := must(admin.DeleteRecords(ctx, before)).Lookup("timed", 0)
		expect(errors.Is(low.Err, kerr.OffsetOutOfRange), "got %v", low.Err)
	})
	check("describe-producers", func(ctx context.Context) {
		set := kadm.TopicsSet{}
		set.Add("timed", 0)
		producers := must(admin.DescribeProducers(ctx, set))["timed"].Partitions[0]
		expect(producers.Err == nil && len(producers.ActiveProducers) == 1, "producers %+v", producers)
	})
}

func configs() {
	check("describe-topic-configs", func(ctx context.Context) {
		described := must(admin.DescribeTopicConfigs(ctx, "configured"))
		expect(len(described) == 1 && described[0].Err == nil && len(described[0].Configs) > 20, "described %+v", described)
		expect(topicConfig(ctx, "retention.ms") == "3600000", "retention.ms")
		expect(topicConfig(ctx, "cleanup.policy") == "delete", "cleanup.policy")
	})
	check("describe-broker-configs", func(ctx context.Context) {
		node := must(admin.BrokerMetadata(ctx)).Controller
		described := must(admin.DescribeBrokerConfigs(ctx, node))
		expect(described[0].Err == nil && len(described[0].Configs) > 20, "described %+v", described[0].Err)
	})
	check("incremental-alter-configs", func(ctx context.Context) {
		alter := func(op kadm.IncrementalOp, name string, value *string) {
			for _, altered := range must(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: op, Name: name, Value: value}}, "configured")) {
				expect(altered.Err == nil, "%s: %v %s", name, altered.Err, altered.ErrMessage)
			}
		}
		alter(kadm.SetConfig, "retention.ms", kadm.StringPtr("7200000"))
		alter(kadm.AppendConfig, "cleanup.policy", kadm.StringPtr("compact"))
		await("two changes", func() bool {
			return topicConfig(ctx, "retention.ms") == "7200000" && topicConfig(ctx, "cleanup.policy") == "delete,compact"
		})
		alter(kadm.SubtractConfig, "cleanup.policy", kadm.StringPtr("compact"))
		alter(kadm.DeleteConfig, "retention.ms", nil)
		await("no change left", func() bool {
			return topicConfig(ctx, "retention.ms") == "604800000" && topicConfig(ctx, "cleanup.policy") == "delete"
		})
	})
	check("legacy-alter-configs", func(ctx context.Context) {
		for _, altered := range must(admin.AlterTopicConfigsState(ctx, []kadm.AlterConfig{{Name: "segment.bytes", Value: kadm.StringPtr("2097152")}}, "configured")) {
			expect(altered.Err == nil, "%v %s", altered.Err, altered.ErrMessage)
		}
		await("segment.bytes", func() bool { return topicConfig(ctx, "segment.bytes") == "2097152" })
	})
	check("invalid-config-refused", func(ctx context.Context) {
		altered := must(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: kadm.StringPtr("soon")}}, "configured"))
		expect(errors.Is(altered[0].Err, kerr.InvalidConfig), "got %v", altered[0].Err)
	})
}

func ends() {
	check("create-partitions", func(ctx context.Context) {
		updated := must(admin.UpdatePartitions(ctx, 5, "plain"))
		expect(updated.Error() == nil, "got %v", updated.Error())
		await("5 partitions", func() bool { return len(must(admin.ListTopics(ctx, "plain"))["plain"].Partitions) == 5 })
		sent := []*kgo.Record{{Topic: "plain", Partition: 4, Timestamp: at(0), Value: random(10)}}
		produce(ctx, sent)
		compare(sent, read(ctx, "plain", 4, 0, 1))
	})
	check("delete-topics", func(ctx context.Context) {
		expect(must(admin.DeleteTopics(ctx, "plain", "defaults")).Error() == nil, "refused")
		await("both gone", func() bool {
			listed := must(admin.ListTopics(ctx))
			return !listed.Has("plain") && !listed.Has("defaults")
		})
	})
	check("delete-unknown-topic-refused", func(ctx context.Context) {
		err := must(admin.DeleteTopics(ctx, "nowhere")).Error()
		expect(errors.Is(err, kerr.UnknownTopicOrPartition), "got %v", err)
	})
}

// variety is records with every shape that a record can have, all in partition p.
func variety(topic string, p int32) []*kgo.Record {
	list := []*kgo.Record{
		{Key: []byte("key"), Value: []byte("value")},
		{Value: []byte("null key")},
		{Key: []byte("null value")},
		{},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("headers"), Value: []byte("with headers"), Headers: []kgo.RecordHeader{
			{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "empty", Value: []byte{}},
			{Key: "null"}, {Key: "ä中", Value: []byte{0, 255, 127, 128}}}},
	}
	source := rand.New(rand.NewSource(int64(p)))
	for i := range 300 {
		value := make([]byte, source.Intn(2000))
		source.Read(value)
		copy(value, bytes.Repeat([]byte("x"), len(value)/2))
		list = append(list, &kgo.Record{Key: fmt.Appendf(nil, "k%d", i), Value: value})
	}
	for i, record := range list {
		record.Topic, record.Partition, record.Timestamp = topic, p, at(int64(i))
	}
	return list
}

func numbered(topic string, count int) []*kgo.Record {
	list := make([]*kgo.Record, count)
	for i := range list {
		list[i] = &kgo.Record{Topic: topic, Timestamp: at(int64(i) * 1000), Value: fmt.Appendf(nil, "record %d", i)}
	}
	return list
}

func produce(ctx context.Context, records []*kgo.Record, options ...kgo.Opt) {
	options = append(options, kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	client := must(kgo.NewClient(options...))
	defer client.Close()
	err := client.ProduceSync(ctx, records...).FirstErr()
	expect(err == nil, "produce: %v", err)
}

func read(ctx context.Context, topic string, p int32, from int64, count int) []*kgo.Record {
	offset := kgo.NewOffset().At(from)
	if from == 0 {
		offset = kgo.NewOffset().AtStart()
	}
	client := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {p: offset}})))
	defer client.Close()
	var records []*kgo.Record
	for len(records) < count {
		fetches := client.PollFetches(ctx)
		expect(fetches.Err() == nil, "read %d of %d: %v", len(records), count, fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

func compare(sent, read []*kgo.Record) {
	expect(len(sent) == len(read), "read %d of %d", len(read), len(sent))
	for i, a := range sent {
		b := read[i]
		expect(same(a.Key, b.Key), "key of %d", i)
		expect(same(a.Value, b.Value), "value of %d", i)
		expect(a.Timestamp.UnixMilli() == b.Timestamp.UnixMilli(), "timestamp of %d", i)
		expect(len(a.Headers) == len(b.Headers), "headers of %d", i)
		for j, header := range a.Headers {
			expect(header.Key == b.Headers[j].Key && same(header.Value, b.Headers[j].Value), "header %d of %d", j, i)
		}
		expect(i == 0 || b.Offset == read[i-1].Offset+1, "offset of %d", i)
	}
}

func same(a, b []byte) bool {
	return bytes.Equal(a, b) && (a == nil) == (b == nil)
}

func create(ctx context.Context, topic string, partitions int32, configs map[string]*string) {
	_, err := admin.CreateTopic(ctx, partitions, -1, configs, topic)
	expect(err == nil, "create %s: %v", topic, err)
}

func topicConfig(ctx context.Context, key string) string {
	for _, config := range must(admin.DescribeTopicConfigs(ctx, "configured"))[0].Configs {
		if config.Key == key {
			return config.MaybeValue()
		}
	}
	return "absent"
}

// Kafka answers some changes before every read shows them.
func await(what string, condition func() bool) {
	for deadline := time.Now().Add(5 * time.Second); !condition(); time.Sleep(50 * time.Millisecond) {
		expect(time.Now().Before(deadline), "waited in vain for %s", what)
	}
}

func at(ms int64) time.Time { return time.UnixMilli(t0 + ms) }

func random(length int) []byte {
	value := make([]byte, length)
	rand.New(rand.NewSource(int64(length))).Read(value)
	return value
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func expect(condition bool, format string, args ...any) {
	if !condition {
		panic(fmt.Errorf(format, args...))
	}
}

func check(name string, body func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	detail := ""
	func() {
		defer func() {
			if problem := recover(); problem != nil {
				detail = fmt.Sprint(problem)
			}
		}()
		body(ctx)
	}()
	line, _ := json.Marshal(map[string]any{"check": name, "ok": detail == "", "detail": detail})
	fmt.Println(string(line))
}
