// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using OverlayBd.Benchmarks.Devices;
using OverlayBd.Benchmarks.Snapshots;

// "devices" measures the block devices with fio, "idle" the memory of many that nobody reads, "snapshotter" the daemon beside
// containerd's own
// snapshotter; everything else is BenchmarkDotNet's, in this process, so that a benchmark and its limit see the same machine.
if (args is ["devices", ..])
{
    return await DeviceBenchmark.RunAsync(args[1..]);
}

if (args is ["idle", ..])
{
    return await IdleDevicesBenchmark.RunAsync(args[1..]);
}

if (args is ["snapshotter", ..])
{
    return await SnapshotterBenchmark.RunAsync(args[1..]);
}

IConfig config = DefaultConfig.Instance
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance).WithIterationCount(7).WithWarmupCount(3));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
return 0;
