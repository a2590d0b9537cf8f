/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics.h"

#include <stdio.h>

#include "base/clock.h"
#include "daemon/bootloop.h"
#include "daemon/dhcp_io.h"
#include "daemon/service.h"
#include "resolver/cache.h"
#include "store/committer.h"
#include "zones/leasename.h"
#include "zones/zones.h"

static void metrics_head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP lanthorn_%s %s\n# TYPE lanthorn_%s %s\n", name, help, name, type);
}

static void metrics_counter(FILE *f, const char *name, const char *help, uint64_t value)
{
	metrics_head(f, name, "counter", help);
	fprintf(f, "lanthorn_%s %llu\n", name, (unsigned long long)value);
}

static void metrics_gauge(FILE *f, const char *name, const char *help, uint64_t value)
{
	metrics_head(f, name, "gauge", help);
	fprintf(f, "lanthorn_%s %llu\n", name, (unsigned long long)value);
}

/* ---- dns ---- */

static void metrics_latency(FILE *f, const struct stats *sum)
{
	uint64_t n = 0;

	metrics_head(f, "dns_latency_seconds", "histogram",
		"time from question to answer of what went upstream");
	for (unsigned i = 0; i < STATS_LATENCY_BUCKETS; i++) {
		n += sum->latency[i];
		if (i + 1 < STATS_LATENCY_BUCKETS)
			fprintf(f, "lanthorn_dns_latency_seconds_bucket{le=\"%g\"} %llu\n",
				(double)stats_latency_bound_us(i) / 1e6, (unsigned long long)n);
	}
	fprintf(f, "lanthorn_dns_latency_seconds_bucket{le=\"+Inf\"} %llu\n",
		(unsigned long long)n);
	fprintf(f, "lanthorn_dns_latency_seconds_sum %g\n", (double)sum->latency_sum_us / 1e6);
	fprintf(f, "lanthorn_dns_latency_seconds_count %llu\n", (unsigned long long)n);
}

static void metrics_dns(FILE *f, struct service *s)
{
	struct stats *sum = stats_new();

	for (unsigned i = 0; i < s->n_workers; i++)
		stats_sum(sum, worker_stats(s->workers[i]));
#define METRICS_STAT(id, name, help) metrics_counter(f, "dns_" name "_total", help, sum->n[id]);
	STATS_LIST(METRICS_STAT)
#undef METRICS_STAT
	metrics_latency(f, sum);
	stats_free(sum);
}

static void metrics_cache(FILE *f, struct service *s)
{
	struct cache_usage wire, rrsets;

	cache_usage(s->cache, &wire);
	cache_rrset_usage(s->rrsets, &rrsets);
	metrics_gauge(f, "cache_answers", "answers in the wire cache", wire.entries);
	metrics_gauge(f, "cache_answer_bytes", "bytes the wire cache uses", wire.bytes);
	metrics_gauge(
		f, "cache_answer_capacity_bytes", "bytes the wire cache may use", wire.capacity);
	metrics_counter(f, "cache_answer_evicted_total", "answers that made room", wire.evicted);
	metrics_gauge(f, "cache_rrsets", "RRsets and negative facts cached", rrsets.entries);
	metrics_gauge(f, "cache_rrset_bytes", "bytes the RRset cache uses", rrsets.bytes);
	metrics_gauge(
		f, "cache_rrset_capacity_bytes", "bytes the RRset cache may use", rrsets.capacity);
	metrics_counter(f, "cache_rrset_evicted_total", "RRsets that made room", rrsets.evicted);
}

static void metrics_net(FILE *f, struct service *s)
{
	struct worker_net_stats sum = {0};

	for (unsigned i = 0; i < s->n_workers; i++) {
		struct worker_net_stats w;

		worker_net_stats(s->workers[i], &w);
		sum.udp_received += w.udp_received;
		sum.udp_sent += w.udp_sent;
		sum.udp_dropped += w.udp_dropped;
		sum.udp_send_blocked += w.udp_send_blocked;
		sum.udp_send_errors += w.udp_send_errors;
		sum.tcp.accepted += w.tcp.accepted;
		sum.tcp.refused += w.tcp.refused;
		sum.tcp.evicted += w.tcp.evicted;
		sum.tcp.timeouts += w.tcp.timeouts;
		sum.tcp.open += w.tcp.open;
		sum.upstream.udp_asks += w.upstream.udp_asks;
		sum.upstream.tcp_asks += w.upstream.tcp_asks;
		sum.upstream.timeouts += w.upstream.timeouts;
		sum.upstream.unreachable += w.upstream.unreachable;
		sum.upstream.rejected += w.upstream.rejected;
		sum.upstream.no_sockets += w.upstream.no_sockets;
	}
	metrics_counter(f, "udp_received_total", "datagrams received for DNS", sum.udp_received);
	metrics_counter(f, "udp_sent_total", "datagrams sent to DNS clients", sum.udp_sent);
	metrics_counter(
		f, "udp_dropped_total", "datagrams too long or unanswerable", sum.udp_dropped);
	metrics_counter(f, "udp_send_blocked_total", "answers lost to a full send buffer",
		sum.udp_send_blocked);
	metrics_counter(
		f, "udp_send_errors_total", "answers the kernel refused", sum.udp_send_errors);
	metrics_counter(f, "tcp_accepted_total", "TCP connections taken", sum.tcp.accepted);
	metrics_counter(f, "tcp_refused_total", "TCP connections refused", sum.tcp.refused);
	metrics_counter(
		f, "tcp_evicted_total", "idle TCP connections closed for room", sum.tcp.evicted);
	metrics_counter(
		f, "tcp_timeouts_total", "TCP connections closed as slow", sum.tcp.timeouts);
	metrics_gauge(f, "tcp_open", "TCP connections open", sum.tcp.open);
	metrics_counter(f, "upstream_udp_total", "questions sent over UDP", sum.upstream.udp_asks);
	metrics_counter(f, "upstream_tcp_total", "questions sent over TCP", sum.upstream.tcp_asks);
	metrics_counter(
		f, "upstream_timeouts_total", "questions without answer", sum.upstream.timeouts);
	metrics_counter(f, "upstream_unreachable_total", "questions that met an ICMP error",
		sum.upstream.unreachable);
	metrics_counter(f, "upstream_rejected_total", "replies that did not match their question",
		sum.upstream.rejected);
	metrics_counter(f, "upstream_no_sockets_total", "questions not sent for want of sockets",
		sum.upstream.no_sockets);
}

/* ---- dhcp, store, boot ---- */

static void metrics_pools(FILE *f, struct service *s)
{
	const struct dhcp_conf *conf = dhcp_io_conf(s->dhcp);

	metrics_head(f, "dhcp_pool_addresses", "gauge", "addresses of a lan's pools by state");
	for (size_t i = 0; i < conf->n_lans; i++) {
		struct server4_lan_stats l = server4_lan_stats(dhcp_io_server(s->dhcp), i);

		fprintf(f,
			"lanthorn_dhcp_pool_addresses{lan=\"%s\",state=\"all\"} %llu\n"
			"lanthorn_dhcp_pool_addresses{lan=\"%s\",state=\"free\"} %llu\n"
			"lanthorn_dhcp_pool_addresses{lan=\"%s\",state=\"ended\"} %llu\n"
			"lanthorn_dhcp_pool_addresses{lan=\"%s\",state=\"declined\"} %llu\n",
			l.name, (unsigned long long)l.n_pool, l.name, (unsigned long long)l.n_free,
			l.name, (unsigned long long)l.n_ended, l.name,
			(unsigned long long)l.n_declined);
	}
}

static void metrics_dhcp(FILE *f, struct service *s)
{
	struct server4_stats d = server4_stats(dhcp_io_server(s->dhcp));

#define METRICS_DHCP(name, help) metrics_counter(f, "dhcp_" #name "_total", help, d.counters.name);
	DHCP_COUNTER_LIST(METRICS_DHCP)
#undef METRICS_DHCP
	metrics_gauge(f, "dhcp_leases_bound", "leases bound", d.n_bound);
	metrics_gauge(f, "dhcp_leases_ended", "leases remembered after their end", d.n_ended);
	metrics_gauge(f, "dhcp_declined", "addresses in quarantine", d.n_declined);
	metrics_gauge(f, "dhcp_offers", "offers waiting for their client", d.n_offers);
	metrics_gauge(f, "dhcp_staged", "ACKs waiting for the disk", d.n_staged);
	metrics_pools(f, s);
	metrics_gauge(f, "zones_names", "names of config and hosts files",
		zones_count(((const struct resolver_conf *)s->resolver_conf)->zones));
	metrics_gauge(f, "zones_lease_names", "names of leases", leasename_count(s->names));
}

static void metrics_store(FILE *f, struct service *s)
{
	struct committer_stats c = committer_stats(s->committer);
	struct store_health h = store_health(s->store);

	metrics_counter(f, "commits_total", "transactions on disk", c.n_commits);
	metrics_counter(f, "commit_records_total", "records they held", c.n_records);
	metrics_counter(f, "commit_failures_total", "transactions that failed", c.n_failures);
	metrics_counter(
		f, "commit_refused_total", "changes refused: the queue was full", c.n_refused);
	metrics_head(f, "commit_us", "summary", "time of a commit in microseconds");
	fprintf(f,
		"lanthorn_commit_us{quantile=\"0.5\"} %u\nlanthorn_commit_us{quantile=\"0.99\"} "
		"%u\n",
		c.p50_us, c.p99_us);
	metrics_gauge(f, "store_map_bytes", "size of the store's map", h.map_len);
	metrics_gauge(f, "store_used_bytes", "bytes of it in use", h.used_len);
	metrics_counter(f, "store_reopens_total", "times the store was reopened after an error",
		h.n_reopens);
}

static void metrics_boot(FILE *f, struct service *s)
{
	struct tftp_counters t = bootloop_counters(s->boot);

	metrics_counter(f, "tftp_requests_total", "TFTP requests", t.requests);
	metrics_counter(f, "tftp_malformed_total", "packets that were none", t.malformed);
	metrics_counter(f, "tftp_refused_total", "requests refused", t.refused);
	metrics_counter(f, "tftp_dropped_total", "requests not even refused", t.dropped);
	metrics_counter(f, "tftp_started_total", "transfers started", t.started);
	metrics_counter(f, "tftp_finished_total", "transfers finished", t.finished);
	metrics_counter(f, "tftp_failed_total", "transfers given up", t.failed);
	metrics_counter(f, "tftp_blocks_total", "blocks sent", t.blocks);
	metrics_counter(f, "tftp_bytes_total", "bytes sent", t.bytes);
	metrics_counter(f, "tftp_retransmits_total", "blocks sent again", t.retransmits);
	metrics_gauge(f, "tftp_active", "transfers under way", t.active);
}

char *metrics_text(struct service *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	metrics_gauge(
		f, "uptime_seconds", "since the start", (uint64_t)(clock_boot_s() - s->started_s));
	metrics_dns(f, s);
	metrics_cache(f, s);
	metrics_net(f, s);
	metrics_dhcp(f, s);
	metrics_store(f, s);
	metrics_boot(f, s);
	fclose(f);
	return text;
}
