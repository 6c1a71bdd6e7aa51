// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using OverlayBd.Snapshotter;
using OverlayBd.Snapshotter.Devices;
using OverlayBd.Snapshotter.Labels;

namespace OverlayBd.SnapshotterHost.Configuration;

/// <summary>The configuration file: the original's fields, and ours.</summary>
internal sealed record SnapshotterConfig
{
    private const int LongestFile = 1 << 20;
    private const int LongestSocketPath = 107;
    private static readonly string[] s_logLevels = ["panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"];

    public required string Address { get; init; }

    public required OverlayBdSnapshotterOptions Snapshots { get; init; }

    public required ExporterSettings Exporter { get; init; }

    public required LogLevel LogLevel { get; init; }

    public required bool LogAsJson { get; init; }

    public required int Tenant { get; init; }

    public required AttachWay Attacher { get; init; }

    public required string BackstoreSocket { get; init; }

    public required string? FrontEnd { get; init; }

    /// <summary>What is strange but does no harm.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <exception cref="ConfigException">The file is malformed, or a value wrong; the message names the field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SnapshotterConfig Load(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: > LongestFile })
        {
            throw new ConfigException($"{path} is longer than {LongestFile} bytes");
        }

        return Parse(File.ReadAllBytes(path), path);
    }

    public static SnapshotterConfig Parse(ReadOnlyMemory<byte> json, string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return Read(new(document.RootElement));
        }
        catch (JsonException e)
        {
            throw new ConfigException($"{path} is no JSON: {e.Message}");
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{path}: {e.Message}");
        }
    }

    /// <summary>What the command line says instead.</summary>
    public SnapshotterConfig Override(string? logLevel, string? logFormat)
    {
        if (logFormat is not (null or "text" or "json"))
        {
            throw new ConfigException($"--log-format is {logFormat}, not text or json");
        }

        return this with
        {
            LogLevel = logLevel is null ? LogLevel
                : ParseLevel(logLevel)
                ?? throw new ConfigException($"--log-level is {logLevel}, not one of {string.Join(", ", s_logLevels)}"),
            LogAsJson = logFormat is null ? LogAsJson : logFormat == "json",
        };
    }

    private static SnapshotterConfig Read(ConfigReader file)
    {
        ExporterSettings exporter = ReadExporter(file.Object("exporterConfig"), out IEnumerable<string> unknownOfExporter);
        List<string> warnings = [];
        SnapshotterConfig config = new()
        {
            Snapshots = ReadSnapshots(file, warnings),
            Address = ReadAddress(file, "address", null),
            Exporter = exporter,
            LogLevel = ParseLevel(file.Text("verbose", "info"))
                ?? throw file.Wrong("verbose", $"is \"{file.Text("verbose", "")}\", not one of {string.Join(", ", s_logLevels)}"),
            LogAsJson = file.Choice("logFormat", false, ("text", false), ("json", true)),
            Tenant = file.Number("tenant", -1, -1, int.MaxValue),
            Attacher = file.Choice(
                "attacher", AttachWay.Auto, ("auto", AttachWay.Auto), ("configfs", AttachWay.ConfigFs), ("backstore", AttachWay.Backstore)),
            BackstoreSocket = ReadAddress(file, "backstoreSocket", "/run/overlaybd/backstore.sock"),
            FrontEnd = file.Choice<string?>("frontEnd", null, ("auto", null), ("tcmu", "tcmu"), ("fuse", "fuse")),
            Warnings = warnings,
        };
        if (file.Flag("logReportCaller"))
        {
            warnings.Add("logReportCaller has no effect: every line names its source");
        }

        warnings.AddRange(file.Unknown.Concat(unknownOfExporter).Select(name => $"{name} is not known, and ignored"));
        return config;
    }

    private static ExporterSettings ReadExporter(ConfigReader? section, out IEnumerable<string> unknown)
    {
        string prefix = section?.Text("uriPrefix", ExporterSettings.DefaultPrefix) ?? ExporterSettings.DefaultPrefix;
        if (!prefix.StartsWith('/') || prefix.Any(static character => character is ' ' or '{' or '}' or '*' or '?' or '#'))
        {
            throw section!.Wrong("uriPrefix", $"is \"{prefix}\", not a path");
        }

        ExporterSettings exporter = new(
            section?.Flag("enable") ?? false,
            prefix,
            section?.Number("port", ExporterSettings.DefaultPort, 1, ushort.MaxValue) ?? ExporterSettings.DefaultPort);
        unknown = section?.Unknown.ToArray() ?? [];
        return exporter;
    }

    private static OverlayBdSnapshotterOptions ReadSnapshots(ConfigReader file, List<string> warnings)
    {
        string root = file.Text("root", "");
        if (!Path.IsPathFullyQualified(root))
        {
            throw file.Wrong("root", $"is \"{root}\", not an absolute path");
        }

        string quota = file.Text("rootfsQuota", "");
        long limit = 0;
        if (quota.Length > 0 && !InputCheck.TryParseSize(quota, out limit))
        {
            throw file.Wrong("rootfsQuota", $"is \"{quota}\", not a size such as 20g");
        }

        string fileSystem = file.Text("defaultFsType", "ext4");
        if (!IsFileSystem(fileSystem))
        {
            throw file.Wrong("defaultFsType", $"is \"{fileSystem}\", not a file system for devices");
        }

        foreach (JsonElement type in file.List("turboFsType"))
        {
            bool isKnown = type.ValueKind == JsonValueKind.String && type.GetString() is "ext4" or "erofs";
            if (!isKnown)
            {
                throw file.Wrong("turboFsType", $"has {type.GetRawText()}, which is neither \"ext4\" nor \"erofs\"");
            }

            warnings.Add("turboFsType has no effect: turboOCI layers are refused");
        }

        return new()
        {
            Root = root,
            AsyncRemove = file.Flag("asyncRemove"),
            AutoRemoveDevice = file.Flag("autoRemoveDev"),
            WritableMode = file.Choice(
                "rwMode",
                WritableMode.OverlayFs,
                ("overlayfs", WritableMode.OverlayFs),
                ("dir", WritableMode.Directory),
                ("dev", WritableMode.Device)),
            WritableLayer = file.Choice(
                "writableLayerType", WritableLayerKind.Append, ("append", WritableLayerKind.Append), ("sparse", WritableLayerKind.Sparse)),
            CommitFormat = file.Choice(
                "commitFormat",
                CommitFormat.Sealed,
                ("sealed", CommitFormat.Sealed),
                ("lsmt", CommitFormat.Lsmt),
                ("zfile", CommitFormat.ZFile)),
            Runtime = file.Choice(
                "runtimeType", SnapshotRuntime.Containerd, ("containerd", SnapshotRuntime.Containerd), ("docker", SnapshotRuntime.Docker)),
            DefaultFileSystem = fileSystem,
            WritableSizeLimit = limit,
            WritableLimit = file.Choice(
                "rootfsQuotaKind",
                WritableLimitKind.Automatic,
                ("auto", WritableLimitKind.Automatic),
                ("project", WritableLimitKind.ProjectQuota),
                ("disk", WritableLimitKind.Disk)),
            Registries = ReadRegistries(file, warnings),
        };
    }

    private static List<RegistryHostOptions> ReadRegistries(ConfigReader file, List<string> warnings)
    {
        List<RegistryHostOptions> registries = [];
        foreach (JsonElement element in file.List("mirrorRegistry"))
        {
            ConfigReader entry = new(element, $"mirrorRegistry[{registries.Count}].");
            string host = entry.Text("host", "");
            if (host.Contains('@', StringComparison.Ordinal))
            {
                // Not shown: what is before it may be a password.
                throw entry.Wrong("host", "has a user before it; credentials belong into the backstore's configuration");
            }

            if (host.Length == 0 || host.Contains('/', StringComparison.Ordinal))
            {
                throw entry.Wrong("host", $"is \"{host}\", not HOST or HOST:PORT");
            }

            registries.Add(new(host, entry.Flag("insecure")));
            warnings.AddRange(entry.Unknown.Select(name => $"{name} is not known, and ignored"));
        }

        return registries;
    }

    private static string ReadAddress(ConfigReader file, string name, string? otherwise)
    {
        string path = file.Text(name, otherwise ?? "").Trim();
        return Path.IsPathFullyQualified(path) && path.Length <= LongestSocketPath
            ? path
            : throw file.Wrong(name, $"is \"{path}\", not an absolute path of at most {LongestSocketPath} characters");
    }

    private static bool IsFileSystem(string text)
    {
        try
        {
            _ = FileSystemSpec.Parse(text);
            return true;
        }
        catch (SnapshotException)
        {
            return false;
        }
    }

    private static LogLevel? ParseLevel(string text) => text.Trim().ToLowerInvariant() switch
    {
        "panic" or "fatal" => LogLevel.Critical,
        "error" => LogLevel.Error,
        "warn" or "warning" => LogLevel.Warning,
        "info" => LogLevel.Information,
        "debug" => LogLevel.Debug,
        "trace" => LogLevel.Trace,
        _ => null,
    };
}
