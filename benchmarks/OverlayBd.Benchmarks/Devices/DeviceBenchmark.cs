// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>How fast is a device, beside one that has nothing to do? Contenders take turns in rounds, and the best of each counts.</summary>
/// <remarks>Where the kernel has TCMU both drivers are measured, beside tcmu-runner and a loop device, which is what fio can
/// reach with no server at all; elsewhere FUSE alone, beside a loop device.</remarks>
internal static class DeviceBenchmark
{
    private const int Rounds = 3;

    /// <param name="arguments">How long each fio job runs, in seconds; and a part of the names of the contenders to measure.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        int seconds = arguments is [string text, ..] ? int.Parse(text, CultureInfo.InvariantCulture) : 3;
        string wanted = arguments is [_, string name, ..] ? name : "";
        DirectoryInfo directory = Directory.CreateTempSubdirectory("overlaybd-bench-");
        try
        {
            SampleImage image = new(directory.FullName);
            await image.CreateAsync();
            List<Contender> contenders = TcmuContenders.KernelHasTcmu
                ? [TcmuContenders.Limit(image), FuseContenders.Limit(image), .. TcmuContenders.All(image), .. FuseContenders.All(image)]
                : [FuseContenders.Limit(image), .. FuseContenders.All(image)];
            await MeasureAsync(
                [.. contenders.Where((each, index) => index == 0 || each.Name.Contains(wanted, StringComparison.OrdinalIgnoreCase))],
                seconds);
            return 0;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(List<Contender> contenders, int seconds)
    {
        Dictionary<(Contender, FioWorkload), Measurement> measured = [];
        Dictionary<Contender, long> resident = [];
        for (int round = 0; round < Rounds; round++)
        {
            foreach (Contender contender in contenders)
            {
                await using AttachedContender device = await contender.AttachAsync();
                foreach (FioWorkload workload in FioWorkload.All)
                {
                    if (!measured.TryGetValue((contender, workload), out Measurement? best))
                    {
                        measured[(contender, workload)] = best = new();
                    }

                    await best.TakeAsync(workload, device, seconds);
                }

                resident[contender] = device.PeakResident();
                await Console.Error.WriteLineAsync($"round {round + 1} of {Rounds}: {contender.Name}");
            }
        }

        foreach (FioWorkload workload in FioWorkload.All)
        {
            Print(workload, contenders, contender => measured[(contender, workload)]);
        }

        Console.WriteLine();
        foreach ((Contender contender, long bytes) in resident)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{contender.Name}: {bytes / 1048576.0:F0} MiB resident at most"));
        }
    }

    private static void Print(FioWorkload workload, List<Contender> contenders, Func<Contender, Measurement> of)
    {
        Console.WriteLine();
        Console.WriteLine($"| {workload.Name} | per second | ratio to {contenders[0].Name} | CPU us/request | B allocated | in requests |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (Contender contender in contenders)
        {
            Measurement best = of(contender);
            string requests = best.Allocated is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{best.AllocatedIn}");
            double ratio = best.PerSecond / of(contenders[0]).PerSecond;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {contender.Name} | {best.PerSecond:F0} | {ratio:F2} | {best.ProcessorTime:F1} | {best.Allocated} | {requests} |"));
        }
    }
}
