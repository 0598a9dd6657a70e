/**
 * The public face: a broker inside your own process, and clients for it and for any other Kafka.
 * What the command `odradek serve` does, a program does with `loadConfig` and `startBroker`.
 */
export type { Log, LogFields } from './base/log.ts'
export { type RunningBroker, StartError, startBroker } from './broker/broker.ts'
export {
  type CommandLine,
  type ConfigSources,
  type LoadedConfig,
  loadConfig,
} from './cli/load-config.ts'
export type { AclOperation } from './client/acl-operations.ts'
export {
  Admin,
  type ClusterDescription,
  type FeatureDescription,
  type FeatureRange,
  type LogDirDescription,
  type PartitionReassignment,
  type QuorumDescription,
  type QuorumReplica,
} from './client/admin.ts'
export type { AdminOptions, CallOptions, DescribeOptions } from './client/admin-base.ts'
export type {
  ConfigChange,
  ConfigDescription,
  ConfigEntry,
  ConfigResource,
  ConfigResourceType,
  ConfigSource,
  ConfigType,
} from './client/admin-configs.ts'
export type {
  ClassicGroupDescription,
  ConsumerGroupDescription,
  ConsumerGroupMember,
  GroupDescription,
  GroupDescriptionBase,
  GroupMember,
} from './client/admin-group-descriptions.ts'
export type { GroupListing, GroupOffset } from './client/admin-groups.ts'
export type {
  IsolationLevel,
  ListedOffset,
  OffsetSpec,
  ProducerState,
} from './client/admin-records.ts'
export type {
  ShareGroupDescription,
  ShareGroupMember,
  ShareOffsetToSet,
  SharePartitionOffset,
} from './client/admin-share-groups.ts'
export type {
  StreamsAssignment,
  StreamsGroupDescription,
  StreamsGroupMember,
  StreamsSubtopology,
  StreamsTaskIds,
  StreamsTaskOffset,
  StreamsTopicInfo,
} from './client/admin-streams-groups.ts'
export type {
  ChangeOptions,
  CreatedTopic,
  NewTopic,
  TopicDescription,
  TopicListing,
  TopicRef,
} from './client/admin-topics.ts'
export {
  type BatchOf,
  Consumer,
  type RecordBatch,
  type SeekTarget,
  type SubscriptionTopic,
} from './client/consumer.ts'
export type { RecordHeader } from './client/consumer-headers.ts'
export type { Re2Pattern, SubscriptionTopics } from './client/consumer-membership.ts'
export type { ConsumerMetrics } from './client/consumer-metrics.ts'
export type {
  ConsumerInterceptor,
  ConsumerOptions,
  ConsumerSettings,
  RebalanceListener,
} from './client/consumer-options.ts'
export type { PollOptions } from './client/consumer-poll.ts'
export { ConsumerRecord, type RecordOf } from './client/consumer-record.ts'
export type { DeliveryCallback, RecordMetadata } from './client/delivery.ts'
export {
  AuthorizationError,
  BufferExhaustedError,
  ClosedError,
  DisconnectError,
  FatalError,
  InvalidMetadataError,
  KafkaError,
  LogTruncationError,
  PartialError,
  RetriableError,
  TimeoutError,
} from './client/errors.ts'
export type { ConsumerGroupMetadata, MemberIdentity } from './client/group.ts'
export type {
  CommittedOffset,
  FoundOffset,
  OffsetQuery,
  OffsetToCommit,
} from './client/offsets.ts'
export type { ClientOptions, ClientSettings } from './client/options.ts'
export { type Partitioner, partitionOfKey } from './client/partitioners.ts'
export { Producer } from './client/producer.ts'
export type { ProducerMetrics } from './client/producer-metrics.ts'
export type {
  Message,
  MessageHeaders,
  MessageOf,
  ProducerInterceptor,
  ProducerOptions,
  ProducerSettings,
  SendRequest,
} from './client/producer-options.ts'
export {
  avroFormat,
  avroSerde,
  type CompiledSchema,
  jsonSchemaFormat,
  type ProtobufType,
  protobufFormat,
  protobufSerde,
  type SchemaFormat,
  type ThriftStruct,
  thriftSerde,
} from './client/schema-formats.ts'
export {
  RegistrySerde,
  type RegistrySerdeOptions,
  SchemaRegistry,
  SchemaRegistryError,
  type SchemaRegistryOptions,
} from './client/schema-registry.ts'
export {
  bytesSerde,
  type Deserializer,
  float32Serde,
  float64Serde,
  int16Serde,
  int32Serde,
  int64Serde,
  type JsonSerdeOptions,
  jsonSerde,
  type Serde,
  type SerdeContext,
  type Serializer,
  stringSerde,
  uuidSerde,
} from './client/serdes.ts'
export {
  type AnyTopic,
  type Topic,
  type TopicSerdes,
  type TypedTopic,
  topic,
} from './client/topic.ts'
export type { TopicPartition } from './client/topic-partition.ts'
export type { BrokerConfig } from './config/broker.ts'
export { Broker, type BrokerOptions } from './library/broker.ts'
export type { DeclaredTopic } from './library/declared-topics.ts'
export { kafkajsSocketFactory, type PortSource, type SocketRequest } from './library/kafkajs.ts'
