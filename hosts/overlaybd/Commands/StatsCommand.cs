// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Serving;
using OverlayBd.Cli.Terminal;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd stats</c>: what devices did since they were attached.</summary>
internal static class StatsCommand
{
    private static readonly Argument<string?> s_device = new("DEVICE")
    {
        Description = "a device of `overlaybd list`; all when none is named",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create()
    {
        Command command = new("stats", "Tells what a running device fetched and served.") { s_device, CommonOptions.Json };
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        RunDirectory run = parsed.GetRunDirectory();
        IReadOnlyList<DeviceRecord> records = parsed.GetValue(s_device) is { } device
            ? [await DeviceRecords.FindAsync(run, device, cancellationToken)]
            : await DeviceRecords.AliveAsync(run, cancellationToken);
        TextTable table = new("DEVICE", "FETCHED", "OF", "REQUESTS", "HITS", "MISSES", "READS", "READ", "WRITTEN", "ERRORS", "HUNG");
        foreach (DeviceRecord record in records)
        {
            DeviceStatistics statistics = await DeviceRecords.ToServed(record).ReadStatisticsAsync(cancellationToken);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Console.WriteLine(JsonSerializer.Serialize(statistics, ControlApiJson.Default.DeviceStatistics));
                continue;
            }

            table.Add(
                record.Device.DevicePath,
                ByteText.Format(statistics.FetchedBytes),
                ByteText.Format(statistics.StoredBytes),
                Text(statistics.FetchRequests),
                Text(statistics.CacheHits),
                Text(statistics.CacheMisses),
                Text(statistics.Reads),
                ByteText.Format(statistics.ReadBytes),
                ByteText.Format(statistics.WrittenBytes),
                Text(statistics.Errors),
                Text(statistics.Hung));
        }

        if (!parsed.GetValue(CommonOptions.Json))
        {
            table.Write(Console.Out);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
