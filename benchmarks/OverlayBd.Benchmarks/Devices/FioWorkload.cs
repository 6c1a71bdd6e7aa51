// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>One fio job: its name and what makes it.</summary>
internal sealed record FioWorkload(string Name, string Pattern, string BlockSize, int Depth)
{
    public static IReadOnlyList<FioWorkload> All { get; } =
    [
        new("4 KiB random read, depth 1 (IOPS)", "randread", "4k", 1),
        new("4 KiB random read, depth 32 (IOPS)", "randread", "4k", 32),
        new("1 MiB sequential read (MiB/s)", "read", "1m", 4),
    ];

    /// <summary>Runs it for some seconds.</summary>
    /// <returns>Requests a second; since a sequential request is 1 MiB, that is MiB/s there.</returns>
    public async Task<FioResult> RunAsync(string device, int seconds)
    {
        string[] arguments =
        [
            "--name=x", $"--filename={device}", "--readonly", "--direct=1", "--ioengine=libaio", $"--rw={Pattern}", $"--bs={BlockSize}",
            string.Create(CultureInfo.InvariantCulture, $"--iodepth={Depth}"),
            string.Create(CultureInfo.InvariantCulture, $"--runtime={seconds}"), "--time_based", "--output-format=json",
        ];
        using Process fio = Process.Start(new ProcessStartInfo("fio", arguments) { RedirectStandardOutput = true })!;
        string output = await fio.StandardOutput.ReadToEndAsync();
        await fio.WaitForExitAsync();
        if (fio.ExitCode != 0)
        {
            throw new InvalidOperationException($"fio ended with {fio.ExitCode} on {device}.");
        }

        using JsonDocument document = JsonDocument.Parse(output);
        JsonElement read = document.RootElement.GetProperty("jobs")[0].GetProperty("read");
        return new FioResult(read.GetProperty("iops").GetDouble(), read.GetProperty("total_ios").GetInt64());
    }
}
