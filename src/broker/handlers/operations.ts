/**
 * Authorized operations as bit sets (KIP-430): bit n stands for the AclOperation with code n.
 * Nobody is refused anything yet, so each set holds every operation that its resource knows.
 */

/** A topic: READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS. */
export const TOPIC_OPERATIONS = 3576

/**
 * The cluster: the above without READ, WRITE and DELETE, with CLUSTER_ACTION and IDEMPOTENT_WRITE.
 */
export const CLUSTER_OPERATIONS = 8096

/** A group: READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS. */
export const GROUP_OPERATIONS = 3400

/** What the field says when it was not asked for. */
export const OPERATIONS_NOT_ASKED = -2147483648
