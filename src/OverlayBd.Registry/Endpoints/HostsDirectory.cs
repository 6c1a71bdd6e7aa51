// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Endpoints;

/// <summary>Reads containerd's <c>certs.d</c>: <c>HOST[:PORT]/hosts.toml</c>, else certificates in docker's form, else
/// <c>_default</c>.</summary>
/// <remarks>containerd, docs/hosts.md. Read: server, capabilities, ca, client, skip_verify, override_path, header.</remarks>
internal static class HostsDirectory
{
    private const int MaxLength = 1024 * 1024;

    /// <summary>Finds what is said of a registry.</summary>
    /// <returns>It, or null when nothing is.</returns>
    /// <exception cref="InvalidDataException">A hosts.toml is malformed.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static HostsFile? Find(string directory, string registry)
    {
        int colon = registry.LastIndexOf(':');
        string[] names = colon > registry.LastIndexOf(']')
            ? [registry, $"{registry[..colon]}_{registry[(colon + 1)..]}_", registry[..colon], "_default"]
            : [registry, "_default"];
        foreach (string candidate in names.Select(name => Path.Combine(directory, name)))
        {
            string file = Path.Combine(candidate, "hosts.toml");
            if (File.Exists(file))
            {
                return Read(file);
            }

            if (Directory.Exists(candidate))
            {
                return new HostsFile(candidate, [], new HostEntry { Tls = TlsSettings.FromDirectory(candidate, verify: true) });
            }
        }

        return null;
    }

    private static HostsFile Read(string file)
    {
        string text;
        try
        {
            text = new FileInfo(file).Length <= MaxLength
                ? File.ReadAllText(file)
                : throw new InvalidDataException($"{file}: longer than {MaxLength} bytes.");
        }
        catch (UnauthorizedAccessException error)
        {
            throw new IOException($"{file} cannot be read: {error.Message}", error);
        }

        TomlTable document = TomlReader.Read(text, file);
        var mirrors = new List<HostEntry>();
        if (document.Get("host") is TomlTable hosts)
        {
            mirrors.AddRange(hosts.Keys.Select(key => ReadEntry(
                hosts.Get(key) as TomlTable ?? throw Malformed(file, $"host.\"{key}\"", "a table"), key, file)));
        }

        return new HostsFile(file, mirrors, ReadEntry(document, document.Get("server") as string, file));
    }

    private static HostEntry ReadEntry(TomlTable table, string? address, string file)
    {
        return new HostEntry
        {
            Address = address is null ? null : ParseAddress(address, file),
            Capabilities = table.Get("capabilities") is object capabilities
                ? Strings(capabilities, "capabilities", file)
                : new HostEntry().Capabilities,
            OverridePath = Boolean(table, "override_path", file),
            Tls = ReadTls(table, file),
            Headers = ReadHeaders(table, file),
        };
    }

    private static Uri ParseAddress(string address, string file)
    {
        string url = address.Contains("://", StringComparison.Ordinal) ? address : "https://" + address;
        return Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) && parsed.Scheme is "http" or "https"
            ? parsed
            : throw Malformed(file, Redaction.Clean(address, 200), "an http or https address");
    }

    private static TlsSettings ReadTls(TomlTable table, string file)
    {
        string folder = Path.GetDirectoryName(file)!;
        bool verify = !Boolean(table, "skip_verify", file);
        string[] roots = table.Get("ca") is object ca ? [.. Strings(ca, "ca", file).Select(path => Path.Combine(folder, path))] : [];
        var clients = new List<ClientCertificateFiles>();
        object? client = table.Get("client");
        foreach (object item in client is List<object> list ? list : client is null ? [] : [client])
        {
            IReadOnlyList<string> pair = Strings(item, "client", file);
            string certificate = Path.Combine(
                folder, pair.Count is 1 or 2 ? pair[0] : throw Malformed(file, "client", "a certificate and a key"));
            clients.Add(
                new ClientCertificateFiles(certificate, pair is [_, { Length: > 0 } key] ? Path.Combine(folder, key) : certificate));
        }

        return verify && roots.Length == 0 && clients.Count == 0 ? TlsSettings.Default : new TlsSettings(verify, roots, clients);
    }

    private static List<KeyValuePair<string, string>> ReadHeaders(TomlTable table, string file)
    {
        var headers = new List<KeyValuePair<string, string>>();
        if (table.Get("header") is TomlTable header)
        {
            foreach (string name in header.Keys)
            {
                headers.AddRange(Strings(header.Get(name)!, $"header.{name}", file).Select(value => KeyValuePair.Create(name, value)));
            }
        }

        return headers;
    }

    private static bool Boolean(TomlTable table, string key, string file) => table.Get(key) switch
    {
        null => false,
        bool value => value,
        _ => throw Malformed(file, key, "true or false"),
    };

    private static IReadOnlyList<string> Strings(object value, string key, string file) => value switch
    {
        string single => [single],
        List<object> list when list.TrueForAll(item => item is string) => [.. list.Cast<string>()],
        _ => throw Malformed(file, key, "a string or a list of strings"),
    };

    private static InvalidDataException Malformed(string file, string key, string expected) => new($"{file}: {key}: expected {expected}.");
}
