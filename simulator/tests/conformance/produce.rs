//! Records, as a producer sends them.

use std::time::Duration;

use bytes::BytesMut;
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType};
use tokio::time::{Instant, sleep};

use crate::client::{Silence, code, topic_name};
use crate::play::Player;

const SOON: Duration = Duration::from_secs(30);

impl Player {
    /// Puts records into a partition, each as a batch of its own.
    pub async fn write(&self, at: &str, records: Option<u64>) -> Result<(), Silence> {
        let (topic, n) = self.at(at);
        let left = self.stage.write(&topic, n, records).await;
        if left == 0 {
            return Ok(());
        }
        let (own, _) = crate::script::partition(at);
        let seen = self.metadata(self.stage.serving()[0], own).await?;
        let led = seen.topics.iter().flat_map(|t| &t.partitions).find(|p| p.partition_index == n);
        let leader = led.map_or(-1, |p| p.leader_id.0);
        for k in 0..left {
            let data = PartitionProduceData::default().with_index(n).with_records(Some(batch(k)));
            let data =
                TopicProduceData::default().with_name(topic_name(&topic)).with_partition_data(vec![data]);
            let request =
                ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000).with_topic_data(vec![data]);
            // A leader may not know yet that it is one.
            let end = Instant::now() + SOON;
            loop {
                let answer = self.ask_broker(leader, &request, 8, SOON).await?;
                let error = answer.responses[0].partition_responses[0].error_code;
                if error == 0 {
                    break;
                }
                assert!(Instant::now() < end, "{at}: {}", code(error));
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }
}

/// One record of 1 KB, each later than the last.
fn batch(k: u64) -> bytes::Bytes {
    let record = Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: -1,
        producer_epoch: -1,
        timestamp_type: TimestampType::Creation,
        offset: 0,
        sequence: -1,
        timestamp: 1_700_000_000_000 + i64::try_from(k).expect("few"),
        key: None,
        value: Some(bytes::Bytes::from(vec![b'x'; 1000])),
        headers: Default::default(),
    };
    let mut bytes = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut bytes, [&record], &options).expect("a batch");
    bytes.freeze()
}
