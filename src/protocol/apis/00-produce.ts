import {
  array,
  defineApi,
  int16,
  int32,
  int64,
  nullable,
  type RequestOf,
  type ResponseOf,
  records,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** Produce. */
export const Produce = defineApi({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  advertisedFrom: 0,
  flexibleFrom: 9,
  request: {
    transactionalId: nullable(string()),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array(
      struct({
        name: string().until(12).ignorable(),
        topicId: uuid().since(13).ignorable(),
        partitionData: array(
          struct({
            index: int32(),
            records: nullable(records()),
          }),
        ),
      }),
    ),
  },
  response: {
    responses: array(
      struct({
        name: string().until(12).ignorable(),
        topicId: uuid().since(13).ignorable(),
        partitionResponses: array(
          struct({
            index: int32(),
            errorCode: int16(),
            baseOffset: int64(),
            logAppendTimeMs: int64().default(-1),
            logStartOffset: int64().since(5).default(-1).ignorable(),
            recordErrors: array(
              struct({
                batchIndex: int32(),
                batchIndexErrorMessage: nullable(string()),
              }),
            )
              .since(8)
              .ignorable(),
            errorMessage: nullable(string()).since(8).ignorable(),
            currentLeader: struct({
              leaderId: int32().default(-1),
              leaderEpoch: int32().default(-1),
            }).tag(0, 10),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32(),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: nullable(string()),
      }),
    ).tag(0, 10),
  },
})
/** A decoded request. */
export type ProduceRequest = RequestOf<typeof Produce>
/** A decoded response. */
export type ProduceResponse = ResponseOf<typeof Produce>
