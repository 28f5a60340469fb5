"""Does a load by hand with boto3, as proof that any AWS client can talk to the stand-in."""

import json
import sys
import time

import boto3
from botocore.exceptions import ClientError

bucket, schema = sys.argv[1:3]
s3 = boto3.client("s3")
redshift = boto3.client("redshift-data")


def wait(statement_id):
    while True:
        described = redshift.describe_statement(Id=statement_id)
        if described["Status"] in ("FINISHED", "FAILED", "ABORTED"):
            return described
        time.sleep(0.02)


def execute(sql):
    return wait(redshift.execute_statement(WorkgroupName="any", Database="dev", Sql=sql)["Id"])


def batch(*sqls):
    return wait(redshift.batch_execute_statement(WorkgroupName="any", Database="dev", Sqls=list(sqls))["Id"])


# S3: what was copied in by hand is an object like any other.
s3.put_object(Bucket=bucket, Key="parts/a b+c.csv", Body=b"1,0.1\n")
s3.put_object(Bucket=bucket, Key="parts/d.csv", Body=b"2,0.2\n")
keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix="parts/")["Contents"]]
assert keys == ["parts/a b+c.csv", "parts/d.csv"], keys
head = s3.head_object(Bucket=bucket, Key="parts/d.csv")
assert head["ETag"] == '"%s"' % __import__("hashlib").md5(b"2,0.2\n").hexdigest(), head
page = s3.list_objects_v2(Bucket=bucket, Prefix="parts/", MaxKeys=1)
assert page["IsTruncated"] and page["NextContinuationToken"], page
manifest = {"entries": [{"url": f"s3://{bucket}/{key}", "mandatory": True} for key in keys]}
s3.put_object(Bucket=bucket, Key="manifest.json", Body=json.dumps(manifest).encode())

# The Data API: asynchronous, errors only in DescribeStatement, a batch is a transaction.
assert execute(f"CREATE TABLE {schema}.t (id INTEGER, amount DECIMAL(8,2))")["Status"] == "FINISHED"
copy = f"COPY {schema}.t FROM 's3://{bucket}/manifest.json' IAM_ROLE default FORMAT AS CSV MANIFEST"
failed = batch(copy, "SELECT 1 / 0")
assert failed["Status"] == "FAILED", failed
assert [sub["Status"] for sub in failed["SubStatements"]][1] == "FAILED", failed
done = batch(copy, f"SELECT id, amount FROM {schema}.t ORDER BY id")
assert done["Status"] == "FINISHED", done
rows = redshift.get_statement_result(Id=done["Id"] + ":2")["Records"]
assert rows == [
    [{"longValue": 1}, {"stringValue": "0.10"}],
    [{"longValue": 2}, {"stringValue": "0.20"}],
], rows

# Long results come in pages.
many = execute(f"SELECT a.id FROM {schema}.t a " + " ".join(f"CROSS JOIN {schema}.t b{i}" for i in range(10)))
pages = redshift.get_paginator("get_statement_result").paginate(Id=many["Id"])
assert sum(len(page["Records"]) for page in pages) == 2**11

tables = redshift.list_tables(WorkgroupName="any", Database="dev", SchemaPattern=schema)["Tables"]
assert [table["name"] for table in tables] == ["t"], tables
columns = redshift.describe_table(WorkgroupName="any", Database="dev", Schema=schema, Table="t")["ColumnList"]
assert [(column["name"], column["typeName"]) for column in columns] == [("id", "int4"), ("amount", "numeric")], columns
named = redshift.execute_statement(WorkgroupName="any", Database="dev", Sql="SELECT 1", StatementName=f"by-{bucket}")
wait(named["Id"])
listed = redshift.list_statements(StatementName=f"by-{bucket}")["Statements"]
assert [statement["Id"] for statement in listed] == [named["Id"]], listed
try:
    redshift.describe_statement(Id="00000000-0000-0000-0000-000000000000")
    raise AssertionError("an unknown id was known")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ResourceNotFoundException", error.response

print("done")
