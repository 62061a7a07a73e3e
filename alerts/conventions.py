"""
Every metric, label, job and alert name, once. Generators and readers take them from here and never spell one inline.

Three families: what Octavia's PROMETHEUS listener gives (`octavia_`), what members, the blackbox exporter and Prometheus give, and
what is ours: `fournines_` is exported by the healer, `fournines:` is recorded by rules.
"""

from __future__ import annotations

from enum import StrEnum

# -- labels

PLATFORM = "platform"
SERVICE = "service"
GROUP = "group"
SLOT = "slot"
INSTANCE_NAME = "instance_name"
SLO = "slo"
INDICATOR = "indicator"
TIER = "tier"
SEVERITY = "severity"
DIAGNOSIS = "diagnosis"
MEMBER_ID = "member_id"
POOL_ID = "pool_id"
LISTENER_ID = "listener_id"
CODE = "code"
OUTCOME = "outcome"
PROMISE = "promise"
QUEUE = "queue"
STATE = "state"
LE = "le"

SERVICE_LABELS = (PLATFORM, SERVICE)
MEMBER_LABELS = (PLATFORM, SERVICE, GROUP, SLOT, INSTANCE_NAME)
INDICATOR_LABELS = (PLATFORM, SERVICE, INDICATOR)
OBJECTIVE_LABELS = (PLATFORM, SERVICE, SLO, INDICATOR)


class Tier(StrEnum):
    """
    What kind of sign an alert is.
    """

    CAUSE = "cause"
    BURN = "burn"
    BLIND = "blind"
    ALIVE = "alive"


class Severity(StrEnum):
    """
    Who is woken: the healer at once, a person at once, a person at work. `NONE` is the Watchdog's.
    """

    HEAL = "heal"
    PAGE = "page"
    TICKET = "ticket"
    NONE = "none"


class Job(StrEnum):
    """
    Scrape jobs. The first four find their targets through the healer.
    """

    LOAD_BALANCERS = "load-balancers"
    MEMBERS = "members"
    EXPORTERS = "exporters"
    PROBES = "probes"
    HEALER = "healer"
    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    BLACKBOX = "blackbox"


class Alert(StrEnum):
    """
    Alert names; each has a page of that name in docs/runbooks/.
    """

    PROBE_FAIL = "ProbeFail"
    APP_SCRAPE_DOWN = "AppScrapeDown"
    LB_MEMBER_DOWN = "LBMemberDown"
    MEMBER_ERRORS = "MemberErrors"
    MEMBER_SLOW = "MemberSlow"
    MEMBER_STALLED = "MemberStalled"
    BURN_MINUTE = "BudgetBurnMinute"
    BURN_FIVE_MINUTES = "BudgetBurnFiveMinutes"
    BURN_HOUR = "BudgetBurnHour"
    BURN_SIX_HOURS = "BudgetBurnSixHours"
    BURN_THREE_DAYS = "BudgetBurnThreeDays"
    BLIND_LOAD_BALANCER = "BlindLoadBalancer"
    BLIND_MEMBERS = "BlindMembers"
    BLIND_PROBES = "BlindProbes"
    BLIND_LATENCY = "BlindLatency"
    BLIND_TRANSACTIONS = "BlindTransactions"
    BLIND_STARTS = "BlindStarts"
    BLIND_WATCHDOG = "BlindWatchdog"
    HEALER_DOWN = "HealerDown"
    RULES_FAILING = "RulesFailing"
    RULES_LATE = "RulesLate"
    NOTIFICATIONS_FAILING = "NotificationsFailing"
    HEALING_OFF = "HealingOff"
    HEALER_SLOW = "HealerSlow"
    INBOX_BACKING_UP = "InboxBackingUp"
    CASES_UNATTENDED = "CasesUnattended"
    CASE_PAGED = "CasePaged"
    APPROVAL_WAITING = "ApprovalWaiting"
    CLOUD_UNREAD = "CloudUnread"
    STORE_DOWN = "StoreDown"
    REFUSALS_PILING_UP = "RefusalsPilingUp"
    HEALER_RESTARTING = "HealerRestarting"
    SENSE_LOST = "SenseLost"
    WATCHDOG = "Watchdog"
    BUS_OUT_OF_MEMORY = "BusOutOfMemory"
    BUS_OUT_OF_DISK = "BusOutOfDisk"
    CACHE_WITHOUT_REPLICA = "CacheWithoutReplica"
    CACHE_WITHOUT_PRIMARY = "CacheWithoutPrimary"
    CLUSTER_WITHOUT_QUORUM = "ClusterWithoutQuorum"
    CLUSTER_WITHOUT_LEADER = "ClusterWithoutLeader"
    MEMBER_UNSETTLED = "MemberUnsettled"
    BACKUP_TOO_OLD = "BackupTooOld"
    LOG_NOT_SENT = "LogNotSent"
    DRILL_FAILED = "DrillFailed"
    DRILL_LATE = "DrillLate"
    BACKUPS_UNREAD = "BackupsUnread"
    CERTIFICATE_ENDING = "CertificateEnding"


# -- Octavia's PROMETHEUS listener (labels rewritten at the scrape: see alerts/configuration.py)

POOL_RESPONSES = "octavia_pool_http_responses_total"
MEMBER_RESPONSES = "octavia_member_http_responses_total"
MEMBER_STATUS = "octavia_member_status"
MEMBER_WEIGHT = "octavia_member_weight"
MEMBER_SESSIONS = "octavia_member_current_sessions"
MEMBER_RESPONSE_TIME = "octavia_member_response_time_average_seconds"
MEMBER_CONNECTION_ERRORS = "octavia_member_connection_errors_total"
MEMBER_ABORTS = "octavia_member_server_aborts_total"
POOL_STATUS = "octavia_pool_status"
POOL_ACTIVE_MEMBERS = "octavia_pool_active_members"
POOL_RETRIES = "octavia_pool_retry_warnings_total"
POOL_SESSIONS = "octavia_pool_current_sessions"
LOAD_BALANCER_CPU = "octavia_loadbalancer_cpu"
LOAD_BALANCER_CONNECTIONS = "octavia_loadbalancer_current_connections"

OCTAVIA_KEPT = (
    POOL_RESPONSES,
    MEMBER_RESPONSES,
    MEMBER_STATUS,
    MEMBER_WEIGHT,
    MEMBER_SESSIONS,
    MEMBER_RESPONSE_TIME,
    MEMBER_CONNECTION_ERRORS,
    MEMBER_ABORTS,
    POOL_STATUS,
    POOL_ACTIVE_MEMBERS,
    POOL_RETRIES,
    POOL_SESSIONS,
    LOAD_BALANCER_CPU,
    LOAD_BALANCER_CONNECTIONS,
)
"""What is kept of some 200 series a load balancer gives every second: what rules and dashboards read."""

# -- members of platform services, as they say of themselves

BUS_MEMORY_ALARM = "rabbitmq_alarms_memory_used_watermark"
BUS_DISK_ALARM = "rabbitmq_alarms_free_disk_space_watermark"
CACHE_IS_PRIMARY = "redis_is_primary"
BUS_PUBLISHED = "rabbitmq_global_messages_received_total"
BUS_CONFIRMED = "rabbitmq_global_messages_confirmed_total"
BUS_DELIVERED = "rabbitmq_global_messages_delivered_total"
BUS_READY = "rabbitmq_queue_messages_ready"
BUS_CONNECTIONS = "rabbitmq_connections"
BUS_MEMORY = "rabbitmq_process_resident_memory_bytes"
BUS_DISK = "rabbitmq_disk_space_available_bytes"
CACHE_GOOD_REPLICAS = "redis_good_replicas"
CACHE_COMMANDS = "redis_commands_processed_total"
CACHE_HITS = "redis_keyspace_hits_total"
CACHE_MISSES = "redis_keyspace_misses_total"
CACHE_MEMORY = "redis_memory_used_bytes"
CACHE_CLIENTS = "redis_connected_clients"
CACHE_AGREEING = "redis_sentinels_agreeing"
DATABASE_PRIMARY = "patroni_primary"
DATABASE_TIMELINE = "patroni_postgres_timeline"
DATABASE_COMMITS = "pg_stat_database_xact_commit"
DATABASE_ROLLBACKS = "pg_stat_database_xact_rollback"
DATABASE_SESSIONS = "pg_stat_activity_count"
DATABASE_SIZE = "pg_database_size_bytes"
DATABASE_LOCKS = "pg_locks_count"
BATCH_STARTED = "batch_started_total"
BATCH_TASKS = "batch_tasks"
BATCH_WAITING = "batch_waiting_seconds"
BATCH_PROMISE = "batch_start_promise_seconds"
BATCH_WORKERS = "batch_workers"
BATCH_SILENT = "batch_silent_seconds"

# -- members, probes, Prometheus and Alertmanager

UP = "up"
PROBE_SUCCESS = "probe_success"
PROBE_DURATION = "probe_duration_seconds"
APP_BUCKET = "http_request_duration_seconds_bucket"
APP_COUNT = "http_request_duration_seconds_count"
APP_SUM = "http_request_duration_seconds_sum"
RULE_FAILURES = "prometheus_rule_evaluation_failures_total"
RULE_MISSES = "prometheus_rule_group_iterations_missed_total"
RULE_DURATION = "prometheus_rule_group_last_duration_seconds"
NOTIFICATIONS_DROPPED = "prometheus_notifications_dropped_total"
NOTIFICATIONS_FAILED = "alertmanager_notifications_failed_total"

# -- exported by the healer

MEMBER_INFO = "fournines_member_info"
MEMBER_BY_ROLE = "fournines_member_by_role"
SERVICE_INFO = "fournines_service_info"
LISTENER_INFO = "fournines_listener_info"
OBJECTIVE_RATIO = "fournines_slo_objective_ratio"
BUDGET_RATIO = "fournines_slo_budget_ratio"
WINDOW_DAYS = "fournines_slo_window_days"
LATENCY_THRESHOLD = "fournines_slo_latency_threshold_seconds"
SERVICE_AGE = "fournines_service_age_seconds"
MIN_HEALTHY = "fournines_group_min_healthy"
HEALING_ENABLED = "fournines_healing_enabled"
WATCHDOG_AGE = "fournines_watchdog_age_seconds"
CASES_OPEN = "fournines_cases_open"
CASES_CLOSED = "fournines_cases_closed_total"
ALERTS_RECEIVED = "fournines_alerts_received_total"
REFUSALS = "fournines_refusals_total"
CASES_ENDED = "fournines_cases_ended_total"
CASES_HELD = "fournines_cases_held"
CASES_UNATTENDED = "fournines_cases_unattended"
INBOX_DEPTH = "fournines_inbox_pending"
INBOX_AGE = "fournines_inbox_oldest_seconds"
VIEW_AGE = "fournines_view_age_seconds"
LOOP_AGE = "fournines_loop_age_seconds"
STORE_UP = "fournines_store_up"
SENSE_UP = "fournines_sense_up"
PAUSES = "fournines_pauses"
WINDOWS_OPEN = "fournines_maintenance_windows_open"
BUILDS_QUARANTINED = "fournines_builds_quarantined"
APPROVALS_WAITING = "fournines_approvals_waiting"
APPROVALS_LEFT = "fournines_approvals_left_seconds"
TRANSACTIONS = "fournines_transactions_total"
TRANSACTION_SECONDS = "fournines_transaction_seconds"
TRANSACTION_BUCKET = "fournines_transaction_seconds_bucket"
CLUSTER_KNOWN = "fournines_cluster_known"
CLUSTER_MEMBERS = "fournines_cluster_members"
CLUSTER_VOTERS = "fournines_cluster_voters"
CLUSTER_VOTES = "fournines_cluster_votes"
CLUSTER_QUORUM = "fournines_cluster_quorum"
CLUSTER_LEADER = "fournines_cluster_leader_known"
CLUSTER_PROBLEMS = "fournines_cluster_problems"
CLUSTER_LAG = "fournines_cluster_lag_bytes"
CLUSTER_SETTLED = "fournines_cluster_member_settled"
BACKUPS_KNOWN = "fournines_backups_known"
BACKUP_AGE = "fournines_backup_age_seconds"
BACKUP_AGE_MAX = "fournines_backup_age_seconds_max"
BACKUP_LOG_AGE = "fournines_backup_log_age_seconds"
BACKUP_LOG_AGE_MAX = "fournines_backup_log_age_seconds_max"
RECOVERABILITY = "fournines_recoverability"
DRILL_AGE = "fournines_drill_age_seconds"
DRILL_AGE_MAX = "fournines_drill_age_seconds_max"
DRILL_RPO = "fournines_drill_rpo_seconds"
DRILL_RTO = "fournines_drill_rto_seconds"
CERTIFICATE_LEFT = "fournines_certificate_left_seconds"
ANSWER_BUCKET = "fournines_alerts_answer_seconds_bucket"
PROCESS_START = "process_start_time_seconds"
CASE_DETECTION_BUCKET = "fournines_case_detection_seconds_bucket"
CASE_FIRST_ACTION_BUCKET = "fournines_case_first_action_seconds_bucket"
CASE_REDUNDANCY_BUCKET = "fournines_case_redundancy_seconds_bucket"

# -- recorded by rules

REC_MEMBER_INFO = "fournines:member:info"
REC_MEMBER_WEIGHT = "fournines:member:weight"
REC_MEMBER_SERVED = "fournines:member:served"
REC_MEMBER_IN_SERVICE = "fournines:member:in_service"
REC_MEMBER_TOTAL = "fournines:member_responses:rate10s"
REC_MEMBER_ERRORS = "fournines:member_errors:rate10s"
REC_MEMBER_SESSIONS = "fournines:member_sessions:min"
REC_MEMBER_EDGE_TIME = "fournines:member_edge_time:seconds"
REC_MEMBER_OWN_TIME = "fournines:member_own_time:mean5s"
REC_MEMBER_PROBE_TIME = "fournines:member_probe_time:min"
REC_GROUP_EDGE_NOISE = "fournines:group_edge_time:noise1m"
REC_GROUP_OWN_NOISE = "fournines:group_own_time:noise1m"
REC_GROUP_PROBE_NOISE = "fournines:group_probe_time:noise1m"
REC_BUDGET_SECONDS = "fournines:slo_budget:seconds"
REC_WINDOW_DAYS = "fournines:slo_window:days"
REC_SERVICE_AGE = "fournines:service_age:seconds"
REC_THRESHOLD = "fournines:slo_latency_threshold:seconds"
REC_THRESHOLD_INFO = "fournines:slo_latency_threshold:info"
REC_ERRORS_OLDER = "fournines:sli_errors:older_sum"
REC_TOTAL_MEAN = "fournines:sli_total:window_mean"
REC_BUDGET_SPENT = "fournines:slo_budget_spent:seconds"
REC_BUDGET_REMAINING = "fournines:slo_budget_remaining:ratio"
SLI_ERRORS = "fournines:sli_errors"
SLI_TOTAL = "fournines:sli_total"


def errors_over(window: str) -> str:
    """
    The record of bad requests per second over a window: `fournines:sli_errors:rate1m`.
    """
    return f"{SLI_ERRORS}:rate{window}"


def total_over(window: str) -> str:
    """
    The record of all requests per second over a window: `fournines:sli_total:rate1m`.
    """
    return f"{SLI_TOTAL}:rate{window}"


def failed_over(window: str) -> str:
    """
    The record of a service's failed transactions per second.
    """
    return f"fournines:transaction_errors:rate{window}"


def tried_over(window: str) -> str:
    """
    The record of a service's transactions per second.
    """
    return f"fournines:transaction_total:rate{window}"


def edge_errors_over(window: str) -> str:
    """
    The record of a service's 5xx per second at its load balancer.
    """
    return f"fournines:edge_errors:rate{window}"


def edge_total_over(window: str) -> str:
    """
    The record of a service's requests per second at its load balancer.
    """
    return f"fournines:edge_total:rate{window}"
