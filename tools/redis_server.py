"""A private Redis, the queue between the schedulers and the workers of Celery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.server_process import ServerProcess, find_program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["RedisServer"]


class RedisServer(ServerProcess):
    """A Redis of its own on a free port of the loopback address. It keeps nothing over a restart."""

    def __init__(self) -> None:
        super().__init__("redis")

    @property
    def url(self) -> str:
        """The address of its first database with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        """Whether it answers a ping."""
        import redis

        with redis.Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def _create(self) -> None:
        settings = ("bind 127.0.0.1", f"port {self.port}", f"requirepass {self._password}", 'save ""', "appendonly no")
        self._configuration.touch(mode=0o600)
        self._configuration.write_text("\n".join(settings))

    def _command(self) -> Sequence[str]:
        return [find_program("redis-server"), str(self._configuration)]

    @property
    def _configuration(self) -> Path:
        return self._folder / "redis.conf"
