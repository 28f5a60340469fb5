"""Serves SQS for a test: a queue with a dead letter queue, over the real protocol (moto's server).

Prints the queue's URL, then answers each line of stdin, which is JSON, by one of stdout:
{"send": [BODY, ...]} -> the ids; {"left": true} -> how many messages are in the queue, in hand or
not; {"dead": true} -> the dead letters so far, each with its body and its attributes; {"large": true}
-> the same of the queue for large files, whose URL is that of the queue with "large" at its end.

What Lambda does between a queue and a function: {"batch": true} -> an event with up to ten messages;
{"answered": [ANSWER, EVENT]} deletes those that did not fail, and those that did come again at once.
"""

import json
import logging
import sys

import boto3
from moto.server import ThreadedMotoServer

visibility, most_tries, region = sys.argv[1:4]
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
sqs = boto3.client(
    "sqs",
    endpoint_url=f"http://127.0.0.1:{port}",
    region_name=region,
    aws_access_key_id="key",
    aws_secret_access_key="secret",
)


def attributes(url, *names):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]


dead_url = sqs.create_queue(QueueName="dead")["QueueUrl"]
redrive = {
    "deadLetterTargetArn": attributes(dead_url, "QueueArn")["QueueArn"],
    "maxReceiveCount": most_tries,
}
url = sqs.create_queue(
    QueueName="files",
    Attributes={"VisibilityTimeout": visibility, "RedrivePolicy": json.dumps(redrive)},
)["QueueUrl"]
large_url = sqs.create_queue(QueueName="large")["QueueUrl"]
dead = []
large = []


def letters(queue_url, letters):
    while True:
        received = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", [])
        if not received:
            return letters
        for message in received:
            values = message.get("MessageAttributes", {})
            told = {name: value["StringValue"] for name, value in values.items()}
            letters.append({"body": message["Body"], "told": told})
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def count():
    counts = attributes(
        url, "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
    )
    return sum(int(count) for count in counts.values())


def left():
    # The server counts the visible messages first and then the others. A message that becomes visible
    # in between is in neither count, but in those that follow.
    return max(count() for _ in range(3))


def batch():
    """The event of a trigger. Its shape: docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    received = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"]
    ).get("Messages", [])
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": attributes(url, "QueueArn")["QueueArn"],
                "awsRegion": region,
            }
            for message in received
        ]
    }


def answered(answer, event):
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    for record in event["Records"]:
        receipt = record["receiptHandle"]
        if record["messageId"] in failed:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
        else:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)


print(url, flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if "send" in asked:
        answer = [
            sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"] for body in asked["send"]
        ]
    elif "dead" in asked:
        answer = letters(dead_url, dead)
    elif "large" in asked:
        answer = letters(large_url, large)
    elif "batch" in asked:
        answer = batch()
    elif "answered" in asked:
        answer = answered(*asked["answered"])
    else:
        answer = left()
    print(json.dumps(answer), flush=True)
server.stop()
