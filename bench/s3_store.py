# SPDX-License-Identifier: Apache-2.0
"""The store of the S3 benchmark: Ceph's gateway over memory on loopback, as the tests start it, and what is put there."""
import http.client
import os
import signal
import subprocess
import threading
import time

from peers import PeerError, free_port

START_SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "blackbox", "start-rgw.sh")
ACCESS_KEY, SECRET = "TESTKEY", "TESTSECRET0123456789"
BUCKET, REGION = "bench", "default"
START_SECONDS = 180
PUTS_AT_ONCE = 16
# Ceph's own packages use this allocator. With the C library's, and with one that gives memory back, much of what is
# measured is the system finding pages for the store: on some virtual machines 3 s of processor time for each GiB.
ALLOCATOR = "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4"
WARM_COPIES = 3  # what the store holds at most of what is measured: the last one, the one before it, the one to download


class Store:
    def __init__(self, directory, size_bytes):
        import boto3
        self.directory, self.port = directory, free_port()
        os.makedirs(directory)
        self.log = os.path.join(directory, "start.txt")
        self.allocator = ALLOCATOR if os.path.exists(ALLOCATOR) else ""
        own = {"LD_PRELOAD": self.allocator, "TCMALLOC_RELEASE_RATE": "0"} if self.allocator else {}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([START_SCRIPT, directory, str(self.port), str(free_port()), str(size_bytes)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, env={**os.environ, **own})
        deadline = time.monotonic() + START_SECONDS
        while not os.path.exists(os.path.join(directory, "ready")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    raise PeerError(f"the store does not start: {log.read()[-2000:]}")
            time.sleep(0.1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.s3 = boto3.client("s3", endpoint_url=self.url, region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET)
        self.s3.create_bucket(Bucket=BUCKET)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def account(self):
        return {"provider": 1, "s3config": {"bucket": BUCKET, "region": REGION, "endpoint": self.url, "access_key": ACCESS_KEY, "access_secret": SECRET}}

    def rclone_config(self):
        return (f"[store]\ntype = s3\nprovider = Ceph\nendpoint = {self.url}\nregion = {REGION}\naccess_key_id = {ACCESS_KEY}\n"
                f"secret_access_key = {SECRET}\nno_check_bucket = true\n")

    def size_of(self, key):
        return self.s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"]

    def put_file(self, key, path):
        self.s3.upload_file(path, BUCKET, key)

    def remove(self, prefix):
        while found := self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents"):
            self.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": entry["Key"]} for entry in found]})

    def warm(self, path):
        """So that the store has all the memory it will need before anything is measured."""
        for number in range(WARM_COPIES):
            self.put_file(f"warm/{number}", path)
        self.remove("warm/")
        conf = os.path.join(self.directory, "ceph.conf")
        try:
            subprocess.run(["radosgw-admin", "gc", "process", "--include-all"], env={**os.environ, "CEPH_CONF": conf, "CEPH_ARGS": f"-c {conf}"},
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=START_SECONDS, check=True)
        except subprocess.SubprocessError as error:
            raise PeerError(f"the store does not clear away what was removed: {error}") from error

    def put_many(self, prefix, count):
        """Empty objects, quickly: without signatures, in a bucket that is open to everybody meanwhile."""
        self.s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read-write")
        errors = []

        def work(first):
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            try:
                for number in range(first, count, PUTS_AT_ONCE):
                    connection.request("PUT", f"/{BUCKET}/{prefix}entry-{number:06d}.dat", b"", {"x-amz-acl": "bucket-owner-full-control"})
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status != 200:
                        raise PeerError(f"the store answers {answer.status} to a put")
            except (OSError, http.client.HTTPException, PeerError) as error:
                errors.append(error)
            finally:
                connection.close()
        threads = [threading.Thread(target=work, args=(first,)) for first in range(PUTS_AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.s3.put_bucket_acl(Bucket=BUCKET, ACL="private")
        if errors:
            raise PeerError(f"the store could not be filled: {errors[0]}")
