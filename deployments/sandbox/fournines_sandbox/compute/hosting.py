"""
The driver's half that speaks for a simulated host: its name, capacity and inventory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import os_resource_classes as orc
from nova.objects import fields
from nova.virt import driver

from fournines_sandbox.compute.hosts import BY_NAME, Host


class Hosting(driver.ComputeDriver):  # type: ignore[misc]
    """
    One simulated host.
    """

    host: Host

    def init_host(self, host: str) -> None:
        self.host = BY_NAME[host]

    def get_host_ip_addr(self) -> str:
        return "127.0.0.1"

    def get_available_nodes(self, refresh: bool = False) -> list[str]:
        return [self.host.name]

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {self.host.node_uuid: self.host.name}

    def get_host_uptime(self) -> str:
        return Path("/proc/uptime").read_text()

    def get_host_cpu_stats(self) -> None:
        return None

    def set_host_enabled(self, enabled: bool) -> str:
        return "enabled" if enabled else "disabled"

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        return {
            "uuid": self.host.node_uuid,
            "vcpus": self.host.vcpus,
            "memory_mb": self.host.memory_mb,
            "local_gb": self.host.disk_gb,
            "vcpus_used": 0,
            "memory_mb_used": 0,
            "local_gb_used": 0,
            "disk_available_least": self.host.disk_gb,
            "hypervisor_type": "lxc",
            "hypervisor_version": 252000,
            "hypervisor_hostname": nodename,
            "cpu_info": "{}",
            "numa_topology": None,
            "supported_instances": [
                (fields.Architecture.X86_64, fields.HVType.LXC, fields.VMMode.EXE),
                (fields.Architecture.X86_64, fields.HVType.LXC, fields.VMMode.HVM),
            ],
        }

    def update_provider_tree(
        self, provider_tree: Any, nodename: str, allocations: Any = None
    ) -> None:
        def inventory(total: int, ratio: float = 1.0) -> dict[str, Any]:
            return {
                "total": total,
                "min_unit": 1,
                "max_unit": total,
                "step_size": 1,
                "allocation_ratio": ratio,
                "reserved": 0,
            }

        provider_tree.update_inventory(
            nodename,
            {
                orc.VCPU: inventory(self.host.vcpus, self.host.vcpu_ratio),
                orc.MEMORY_MB: inventory(self.host.memory_mb),
                orc.DISK_GB: inventory(self.host.disk_gb),
            },
        )
