// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Security.Cryptography;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.CommandLine;

/// <summary>Whether a device takes writes, and where they are kept.</summary>
internal static class WritableOptions
{
    private static readonly Option<bool> s_writable = new("--writable") { Description = "take writes, and forget them with the device" };
    private static readonly Option<DirectoryInfo?> s_upper = new("--upper")
    {
        Description = "take writes, and keep them in DIR as a layer; it goes on where DIR ended",
        HelpName = "DIR",
    };

    private static readonly Option<bool> s_sparse = new("--sparse")
    {
        Description = "make the layer that takes writes a sparse file, every block in its own place, not a log",
    };

    public static void AddTo(Command command)
    {
        command.Options.Add(s_writable);
        command.Options.Add(s_upper);
        command.Options.Add(s_sparse);
    }

    /// <summary>The files of the writable layer; null when the device is read-only.</summary>
    public static UpperFiles? Bind(ParseResult parsed)
    {
        DirectoryInfo? named = parsed.GetValue(s_upper);
        if (named is null && !parsed.GetValue(s_writable))
        {
            return null;
        }

        string directory = named?.FullName
            ?? Path.Combine(parsed.GetCacheDirectory(), "writable", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)));
        Directory.CreateDirectory(directory);
        return new()
        {
            Data = Path.Combine(directory, "writable_data"),
            Index = Path.Combine(directory, "writable_index"),
            Sparse = parsed.GetValue(s_sparse),
            Temporary = named is null,
        };
    }
}
