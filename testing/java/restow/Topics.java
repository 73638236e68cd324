package restow;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.config.ConfigResource;

/** The shell's requests about brokers, topics, configurations and reassignments. */
final class Topics {
    private Admin admin;

    void connect(String bootstrap) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("client.id", "restow-testing");
        properties.put("request.timeout.ms", "10000");
        properties.put("default.api.timeout.ms", "30000");
        properties.put("retry.backoff.ms", "50");
        properties.put("reconnect.backoff.ms", "50");
        properties.put("reconnect.backoff.max.ms", "500");
        properties.put("metadata.max.age.ms", "5000");
        admin = Admin.create(properties);
    }

    Object run(String verb, JsonNode request) throws Exception {
        switch (verb) {
            case "cluster":
                return cluster();
            case "createTopic":
                return createTopic(request);
            case "deleteTopics":
                admin.deleteTopics(strings(request.path("topics"))).all().get();
                return true;
            case "createPartitions":
                return createPartitions(request);
            case "describe":
                return describe(request.path("topics"));
            case "configs":
                return configs(request);
            case "alterConfigs":
                return alterConfigs(request);
            case "reassign":
                return reassign(request);
            case "reassignments":
                return reassignments();
            case "elect":
                return elect(request);
            case "offsets":
                return offsets(request);
            case "groupOffsets":
                return groupOffsets(request.path("group").asText());
            case "logDirs":
                return logDirs(request);
            case "alterLogDirs":
                return alterLogDirs(request);
            default:
                throw new IllegalArgumentException("unknown request " + verb);
        }
    }

    private Object cluster() throws Exception {
        DescribeClusterResult result = admin.describeCluster();
        Map<String, Object> answer = new TreeMap<>();
        List<Object> brokers = new ArrayList<>();
        for (Node node : result.nodes().get()) {
            Map<String, Object> broker = new TreeMap<>();
            broker.put("id", node.id());
            broker.put("rack", node.rack());
            brokers.add(broker);
        }
        answer.put("brokers", brokers);
        answer.put("id", result.clusterId().get());
        return answer;
    }

    private Object createTopic(JsonNode request) throws Exception {
        String name = request.path("topic").asText();
        JsonNode assignment = request.path("assignment");
        Map<Integer, List<Integer>> replicas = new HashMap<>();
        for (int partition = 0; partition < assignment.size(); partition++) {
            replicas.put(partition, integers(assignment.get(partition)));
        }
        Map<String, String> configs = new HashMap<>();
        JsonNode given = request.path("configs");
        given.fieldNames().forEachRemaining(key -> configs.put(key, given.get(key).asText()));
        admin.createTopics(List.of(new NewTopic(name, replicas).configs(configs))).all().get();
        return true;
    }

    private Object createPartitions(JsonNode request) throws Exception {
        int total = request.path("total").asInt();
        JsonNode added = request.path("assignment");
        NewPartitions partitions = NewPartitions.increaseTo(total);
        if (added.isArray()) {
            List<List<Integer>> lists = new ArrayList<>();
            added.forEach(list -> lists.add(integers(list)));
            partitions = NewPartitions.increaseTo(total, lists);
        }
        admin.createPartitions(Map.of(request.path("topic").asText(), partitions)).all().get();
        return true;
    }

    private Object describe(JsonNode wanted) throws Exception {
        Map<String, Object> answer = new TreeMap<>();
        for (TopicDescription topic : admin.describeTopics(names(wanted)).allTopicNames().get().values()) {
            List<Object> partitions = new ArrayList<>();
            for (TopicPartitionInfo info : topic.partitions()) {
                Map<String, Object> partition = new TreeMap<>();
                partition.put("replicas", ids(info.replicas()));
                partition.put("isr", ids(info.isr()));
                partition.put("leader", info.leader() == null || info.leader().isEmpty() ? -1 : info.leader().id());
                partitions.add(partition);
            }
            answer.put(topic.name(), Map.of("id", topic.topicId().toString(), "partitions", partitions));
        }
        return answer;
    }

    /** The dynamic entries only: kind "topic" or "broker"; the broker "" is the cluster-wide default. */
    private Object configs(JsonNode request) throws Exception {
        ConfigResource.Type kind = kind(request);
        Collection<String> named = kind == ConfigResource.Type.TOPIC
                ? names(request.path("names")) : strings(request.path("names"));
        List<ConfigResource> resources = new ArrayList<>();
        named.forEach(name -> resources.add(new ConfigResource(kind, name)));
        Map<String, Object> answer = new TreeMap<>();
        Map<ConfigResource, KafkaFuture<Config>> futures = admin.describeConfigs(resources).values();
        for (Map.Entry<ConfigResource, KafkaFuture<Config>> future : futures.entrySet()) {
            Map<String, String> entries = new TreeMap<>();
            String name = future.getKey().name();
            for (ConfigEntry entry : future.getValue().get().entries()) {
                boolean ours;
                switch (entry.source()) {
                    case DYNAMIC_TOPIC_CONFIG:
                        ours = kind == ConfigResource.Type.TOPIC;
                        break;
                    case DYNAMIC_BROKER_CONFIG:
                        ours = kind == ConfigResource.Type.BROKER && !name.isEmpty();
                        break;
                    case DYNAMIC_DEFAULT_BROKER_CONFIG:
                        ours = name.isEmpty();
                        break;
                    default:
                        ours = false;
                }
                if (ours) {
                    entries.put(entry.name(), entry.value());
                }
            }
            answer.put(name, entries);
        }
        return answer;
    }

    private Object alterConfigs(JsonNode request) throws Exception {
        ConfigResource resource = new ConfigResource(kind(request), request.path("name").asText());
        List<AlterConfigOp> changes = new ArrayList<>();
        for (JsonNode change : request.path("changes")) {
            JsonNode value = change.path("value");
            changes.add(new AlterConfigOp(
                    new ConfigEntry(change.path("key").asText(), value.isTextual() ? value.asText() : null),
                    AlterConfigOp.OpType.valueOf(change.path("op").asText())));
        }
        admin.incrementalAlterConfigs(Map.of(resource, changes)).all().get();
        return true;
    }

    private Object reassign(JsonNode request) {
        Map<TopicPartition, Optional<NewPartitionReassignment>> changes = new HashMap<>();
        for (JsonNode item : request.path("partitions")) {
            JsonNode replicas = item.path("replicas");
            changes.put(partition(item), replicas.isArray()
                    ? Optional.of(new NewPartitionReassignment(integers(replicas))) : Optional.empty());
        }
        List<Object> failed = new ArrayList<>();
        admin.alterPartitionReassignments(changes).values().forEach((key, future) -> {
            try {
                future.get();
            } catch (Exception error) {
                failed.add(failure(key, error));
            }
        });
        return failed;
    }

    private Object reassignments() throws Exception {
        List<Object> answer = new ArrayList<>();
        admin.listPartitionReassignments().reassignments().get().forEach((key, move) -> {
            Map<String, Object> item = new TreeMap<>();
            item.put("topic", key.topic());
            item.put("partition", key.partition());
            item.put("replicas", move.replicas());
            item.put("adding", move.addingReplicas());
            item.put("removing", move.removingReplicas());
            answer.add(item);
        });
        return answer;
    }

    private Object elect(JsonNode request) throws Exception {
        Set<TopicPartition> wanted = null;
        if (request.path("partitions").isArray()) {
            wanted = new HashSet<>();
            for (JsonNode item : request.path("partitions")) {
                wanted.add(partition(item));
            }
        }
        ElectionType type = request.path("unclean").asBoolean() ? ElectionType.UNCLEAN : ElectionType.PREFERRED;
        List<Object> failed = new ArrayList<>();
        admin.electLeaders(type, wanted).partitions().get().forEach((key, error) ->
                error.ifPresent(e -> failed.add(failure(key, e))));
        return failed;
    }

    private Object offsets(JsonNode request) throws Exception {
        Map<TopicPartition, OffsetSpec> first = new HashMap<>();
        Map<TopicPartition, OffsetSpec> last = new HashMap<>();
        for (TopicDescription topic
                : admin.describeTopics(names(request.path("topics"))).allTopicNames().get().values()) {
            for (TopicPartitionInfo info : topic.partitions()) {
                TopicPartition key = new TopicPartition(topic.name(), info.partition());
                first.put(key, OffsetSpec.earliest());
                last.put(key, OffsetSpec.latest());
            }
        }
        Map<TopicPartition, ListOffsetsResultInfo> starts = admin.listOffsets(first).all().get();
        Map<TopicPartition, ListOffsetsResultInfo> ends = admin.listOffsets(last).all().get();
        List<Object> answer = new ArrayList<>();
        starts.forEach((key, start) -> answer.add(Map.of("topic", key.topic(), "partition", key.partition(),
                "earliest", start.offset(), "latest", ends.get(key).offset())));
        return answer;
    }

    private Object groupOffsets(String group) throws Exception {
        List<Object> answer = new ArrayList<>();
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().forEach((key, offset) -> {
            if (offset != null) {
                answer.add(Map.of("topic", key.topic(), "partition", key.partition(), "offset", offset.offset()));
            }
        });
        return answer;
    }

    private Object logDirs(JsonNode request) throws Exception {
        List<Object> answer = new ArrayList<>();
        admin.describeLogDirs(integers(request.path("brokers"))).allDescriptions().get().forEach((broker, dirs) ->
                dirs.forEach((path, dir) -> dir.replicaInfos().forEach((key, info) -> {
                    Map<String, Object> item = new TreeMap<>();
                    item.put("broker", broker);
                    item.put("dir", path);
                    item.put("topic", key.topic());
                    item.put("partition", key.partition());
                    item.put("size", info.size());
                    item.put("lag", info.offsetLag());
                    item.put("future", info.isFuture());
                    answer.add(item);
                })));
        return answer;
    }

    private Object alterLogDirs(JsonNode request) throws Exception {
        TopicPartition key = partition(request);
        TopicPartitionReplica replica =
                new TopicPartitionReplica(key.topic(), key.partition(), request.path("broker").asInt());
        admin.alterReplicaLogDirs(Map.of(replica, request.path("dir").asText())).all().get();
        return true;
    }

    private Collection<String> names(JsonNode wanted) throws Exception {
        if (wanted.isArray()) {
            return strings(wanted);
        }
        return admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
    }

    private static ConfigResource.Type kind(JsonNode request) {
        return "broker".equals(request.path("kind").asText())
                ? ConfigResource.Type.BROKER : ConfigResource.Type.TOPIC;
    }

    private static ObjectNode failure(TopicPartition key, Throwable error) {
        ObjectNode item = Shell.describe(error);
        item.put("topic", key.topic());
        item.put("partition", key.partition());
        return item;
    }

    private static TopicPartition partition(JsonNode item) {
        return new TopicPartition(item.path("topic").asText(), item.path("partition").asInt());
    }

    private static List<Integer> ids(List<Node> nodes) {
        List<Integer> ids = new ArrayList<>();
        nodes.forEach(node -> ids.add(node.id()));
        return ids;
    }

    static List<Integer> integers(JsonNode list) {
        List<Integer> numbers = new ArrayList<>();
        list.forEach(item -> numbers.add(item.asInt()));
        return numbers;
    }

    static List<String> strings(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(item -> texts.add(item.asText()));
        return texts;
    }
}
