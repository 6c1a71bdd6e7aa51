// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Benchmarks;

/// <summary>Bytes such as images hold: the runtime's own assemblies, one behind the other.</summary>
internal static class SampleData
{
    public static byte[] Load(int length)
    {
        byte[] data = new byte[length];
        int done = 0;
        while (done < length)
        {
            foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!).Order(StringComparer.Ordinal))
            {
                using FileStream stream = File.OpenRead(file);
                done += stream.ReadAtLeast(data.AsSpan(done), data.Length - done, throwOnEndOfStream: false);
            }
        }

        return data;
    }
}
