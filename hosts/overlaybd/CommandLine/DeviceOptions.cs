// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.CommandLine;

/// <summary>How an image is shown to the kernel, and what is done with the trace of its reads.</summary>
internal static class DeviceOptions
{
    private static readonly Option<string> s_device = new("--device")
    {
        Description = "how the image is shown to the kernel; auto is TCMU where a daemon serves it, else FUSE and a loop device",
        DefaultValueFactory = _ => FrontEnds.Auto,
    };

    private static readonly Option<FileInfo?> s_record = new("--record")
    {
        Description = "record what is read into a trace, which is there once the device is taken away",
        HelpName = "FILE",
    };

    private static readonly Option<FileInfo?> s_replay = new("--replay")
    {
        Description = "fetch what a trace names, before and beside what is read",
        HelpName = "FILE",
    };

    static DeviceOptions() => s_device.AcceptOnlyFromAmong(FrontEnds.Auto, FrontEnds.Tcmu, FrontEnds.Fuse);

    public static void AddTo(Command command)
    {
        command.Options.Add(s_device);
        command.Options.Add(s_record);
        command.Options.Add(s_replay);
    }

    /// <exception cref="UsageException">The trace to replay is not there.</exception>
    public static AttachRequest Bind(ParseResult parsed, AttachRequest request) =>
        parsed.GetValue(s_replay) is { Exists: false } missing
            ? throw new UsageException($"--replay: there is no file {missing.FullName}.")
            : request with
            {
                FrontEnd = parsed.GetValue(s_device),
                Record = parsed.GetValue(s_record)?.FullName,
                Replay = parsed.GetValue(s_replay)?.FullName,
            };
}
